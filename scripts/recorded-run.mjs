// `npm run year`, and in `npm run verify` two months: plays the flights as `npm start` does, on a home of its own, and
// compares with what was recorded in tests/recorded: ledger, every version's bytes, cycles and figures. `--write` records anew.
// The same is promised for one machine type and Node version (docs/decisions/0013); on another it says so and compares nothing
// but what a walk must show anywhere: the loop renewed itself, and that helped.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anyPorts } from '@driftloop/embedded';
import { node, root } from './install.mjs';

const runs = { 'two-months': ['--until', '2013-04-15'], year: [] };
const parts = ['departures', 'ledgerSha256', 'versions', 'cycles', 'loop', 'frozen'];
const machine = `${process.platform} ${process.arch}, Node ${process.versions.node}`;

if (realpathSync(process.execPath) !== realpathSync(node))
  throw new Error('this runs on the pinned Node: npm run two-months, npm run year');
const [name, ...options] = process.argv.slice(2);
if (!runs[name]) throw new Error(`${name}: write one of ${Object.keys(runs).join(', ')}`);
const file = join(root, 'tests', 'recorded', `${name}.json`);
const { seconds, peakRssMb, ...found } = play(runs[name]);
console.log(`${name}: ${seconds} s, ${peakRssMb} MB at the peak, ledger ${found.ledgerSha256}`);
tell(shown(found));
if (options.includes('--write')) writeFileSync(file, `${JSON.stringify({ machine, ...found }, null, 2)}\n`);
else compare(JSON.parse(readFileSync(file, 'utf8')));

function play(args) {
  const home = mkdtempSync(join(tmpdir(), 'driftloop-recorded-'));
  const json = join(home, 'run.json');
  const main = ['scripts/run.mjs', 'deploy/embedded/dist/main.js', '--once', ...args, '--json', json];
  const env = { ...process.env, ...anyPorts, DRIFTLOOP_HOME: join(home, 'home') };
  try {
    const { status } = spawnSync(node, main, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) throw new Error(`the run ended with ${status}`);
    const { seconds, peakRssMb, ...run } = JSON.parse(readFileSync(json, 'utf8'));
    const cycles = run.cycles.map(({ id, outcome }) => ({ id, outcome }));
    return { seconds, peakRssMb, ...Object.fromEntries(parts.map((part) => [part, run[part]])), cycles };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function shown({ departures, cycles, loop, frozen, versions, ledgerSha256 }) {
  return {
    'departures were answered': departures > 10_000,
    'a first model was trained and promoted': cycles.some(({ outcome }) => outcome === 'promoted'),
    'the loop trained again by itself': loop.trainings >= 2,
    'the loop ranks better than chance by far': loop.auc > 0.7,
    'the loop is no worse than the frozen model': loop.logLoss <= frozen.logLoss + 0.002,
    'every version has its lineage': versions.slice(1).every((v) => isHash(v.sha256) && v.datasetSha256),
    'the ledger has a hash': isHash(ledgerSha256),
  };
}

function compare({ machine: where, ...recorded }) {
  if (where !== machine) return console.log(`skipped: ${name} was recorded on ${where}; this is ${machine}`);
  const said = (value) => JSON.stringify(value);
  const same = (part) => said(recorded[part]) === said(found[part]);
  for (const part of parts)
    if (!same(part)) console.log(`${part}: ${said(found[part])}; recorded ${said(recorded[part])}`);
  tell(Object.fromEntries(parts.map((part) => [`${part} as recorded`, same(part)])));
}

function tell(facts) {
  for (const [what, holds] of Object.entries(facts)) console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}`);
  if (!Object.values(facts).every(Boolean)) process.exitCode = 1;
}

function isHash(text) {
  return /^[0-9a-f]{64}$/.test(text);
}
