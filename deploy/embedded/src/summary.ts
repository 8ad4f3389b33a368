/** What the run showed: the metric of the whole loop beside the model that was never renewed, and where the time went. */
import { evaluate } from '@driftloop/algorithms';
import type { Control } from '@driftloop/client';
import type { Diary, ReplayResult } from '@driftloop/flights';

export interface Scores {
  auc: number;
  logLoss: number;
  brier: number;
  accuracy: number;
}

export interface Summary {
  departures: number;
  seconds: number;
  departuresPerSecond: number;
  trainingSeconds: number;
  peakRssMb: number;
  loop: Scores & { trainings: number };
  frozen: Scores;
  cycles: { id: string; signal: string; opened?: string; closed?: string; outcome: string; reasons: string[] }[];
  versions: { version: string; sha256: string; datasetSha256: string; cycle: string }[];
  ledgerSha256: string;
}

const clip = 1e-6;

/** What was played: the model, and the truth by entity. */
export interface Played {
  model: string;
  truth: ReadonlyMap<string, number>;
}

/** Scores of the answers to entities that got a label: what the caller was given, and what the frozen model would have said. */
export function score(
  diary: Diary,
  truth: Played['truth'],
  frozenVersion: string,
): { departures: number; loop: Scores; frozen: Scores } {
  const shadows = diary.shadows();
  const y: number[] = [];
  const returned: number[] = [];
  const frozen: number[] = [];
  const answers = diary.answers();
  // By id: sums of doubles depend on their order, and questions are answered in any.
  for (const { id, probability } of [...answers.values()].sort((one, other) => (one.id < other.id ? -1 : 1))) {
    const label = truth.get(id);
    if (label === undefined) continue;
    y.push(label);
    returned.push(probability);
    frozen.push(shadows.get(id)?.scores[frozenVersion] ?? probability);
  }
  return { departures: answers.size, loop: scores(returned, y), frozen: scores(frozen, y) };
}

function scores(p: number[], y: number[]): Scores {
  if (!y.length) return { auc: Number.NaN, logLoss: Number.NaN, brier: Number.NaN, accuracy: Number.NaN };
  const all = evaluate(Float64Array.from(p), Float64Array.from(y), { clip });
  return { auc: all.auc, logLoss: all.logLoss, brier: all.brier, accuracy: all.accuracy };
}

/** Collects the summary of a run from its answers and the running system. */
export async function summarize(
  control: Control,
  { model, truth }: Played,
  diary: Diary,
  result: ReplayResult,
  peakRssMb: number,
): Promise<Summary> {
  const [jobs, cycles, versions, ledger] = await Promise.all([
    control.jobs(model),
    control.cycles(model),
    control.versions(model),
    control.ledger(model),
  ]);
  const { departures: asked, loop, frozen } = score(diary, truth, result.frozenVersion);
  const trainings = jobs.length;
  return {
    departures: asked,
    seconds: round(result.seconds),
    departuresPerSecond: round(asked / result.seconds),
    trainingSeconds: round(jobs.reduce((sum, job) => sum + job.seconds, 0)),
    peakRssMb: Math.round(peakRssMb),
    loop: { ...loop, trainings },
    frozen,
    cycles: cycles.map(({ cycleId: id, signal, opened, closed, outcome, reasons }) => ({
      id,
      signal,
      opened: opened?.toISOString(),
      closed: closed?.toISOString(),
      outcome: outcome || 'open',
      reasons,
    })),
    versions: versions.map(({ version, released, lineage, cycleId }) => ({
      version,
      sha256: released?.sha256 ?? '',
      datasetSha256: lineage?.datasetSha256 ?? '',
      cycle: cycleId,
    })),
    ledgerSha256: ledger.sha256,
  };
}

/** The summary as a table. */
export function table(s: Summary, { phases, firstAnswerSeconds }: ReplayResult): string {
  const row = (name: string, x: Scores) =>
    `  ${name.padEnd(22)}${x.logLoss.toFixed(4).padStart(9)}${x.auc.toFixed(4).padStart(9)}${x.brier.toFixed(4).padStart(9)}${x.accuracy.toFixed(4).padStart(10)}`;
  const count = (outcome: string) => s.cycles.filter((c) => c.outcome === outcome).length;
  const outcomes = [...new Set(s.cycles.map((c) => c.outcome))].map((o) => `${count(o)} ${o.replace('_', ' ')}`);
  return [
    '',
    `${' '.repeat(24)}log loss      AUC    Brier  accuracy`,
    row(`the loop, ${s.loop.trainings} trainings`, s.loop),
    row('frozen after the first', s.frozen),
    '',
    `  ${s.departures.toLocaleString('en')} departures in ${s.seconds} s (${s.departuresPerSecond}/s), of them facts ${round(phases.facts)} s, questions ${round(phases.questions)} s, ticks ${round(phases.ticks)} s;`,
    `  the first answer came ${round(firstAnswerSeconds)} s after the replay began`,
    `  trainings took ${s.trainingSeconds} s in their own threads; peak memory ${s.peakRssMb} MB`,
    `  cycles: ${outcomes.join(', ') || 'none'}; versions: ${s.versions.length}; ledger ${s.ledgerSha256.slice(0, 16)}`,
    '',
  ].join('\n');
}

const round = (x: number) => Math.round(x * 10) / 10;
