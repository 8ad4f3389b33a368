// Reads a run's JSON and checks what a short walk must show: the loop renewed itself, and that helped.
import { readFileSync } from 'node:fs';

const run = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const promoted = run.cycles.filter((cycle) => cycle.outcome === 'promoted');
const checks = {
  'departures were answered': run.departures > 10_000,
  'a first model was trained and promoted': promoted.length >= 1,
  'the loop trained again by itself': run.loop.trainings >= 2,
  'the loop ranks better than chance by far': run.loop.auc > 0.7,
  'the loop is no worse than the frozen model': run.loop.logLoss <= run.frozen.logLoss + 0.002,
  'every version has its lineage': run.versions
    .slice(1)
    .every((v) => /^[0-9a-f]{64}$/.test(`${v.sha256}`) && v.datasetSha256),
  'the ledger has a hash': /^[0-9a-f]{64}$/.test(run.ledgerSha256),
};
for (const [what, holds] of Object.entries(checks)) console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}`);
process.exit(Object.values(checks).every(Boolean) ? 0 : 1);
