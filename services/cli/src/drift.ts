/** The command that tells what has moved: `driftloop drift`. */
import type { DriftReport } from '@driftloop/client';
import type { Command } from 'commander';
import { type Open, withModel } from './doors.js';
import { columns, figure, show, when } from './output.js';
import { wholeNumber } from './whole-number.js';

interface Options {
  json?: boolean;
  model?: string;
  limit: number;
}

export function addDrift(program: Command, open: Open): void {
  withModel(
    program
      .command('drift')
      .description('what has moved against what the champion learned from, with how sure that is'),
  )
    .option('-n, --limit <n>', 'how many movements, the strongest first, up to 1,000', wholeNumber(1, 1000), 20)
    .option('--json', 'as JSON')
    .action(async ({ model, limit, json }: Options) => {
      const doors = open();
      const report = await doors.control.drift(await doors.model(model), limit);
      show(json, report, () => table(report));
    });
}

/** The report as a table. */
export function table(report: DriftReport): string {
  const { model, champion, days, tests, moved, rate, level, movements, windowStart, windowEnd, lossChanged } = report;
  if (!movements.length)
    return `${model}: no whole window of closed days has been counted against ${champion} yet (${days} so far)`;
  const dates = `${when(windowStart).slice(0, 10)} to ${when(windowEnd).slice(0, 10)}`;
  const rows = movements.map((m) => [
    m.feature,
    m.slice || '–',
    m.moved ? 'yes' : 'no',
    short(m.qValue),
    short(m.psi),
    m.ks ? short(m.ks) : '–',
    short(m.jensenShannon),
    m.wasserstein ? short(m.wasserstein) : '–',
    figure(m.reference),
    figure(m.present),
    m.lossShare ? `${Math.round(100 * m.lossShare)}%` : '–',
    m.note,
  ]);
  const header = ['feature', 'slice', 'moved', 'q', 'PSI', 'KS', 'JS bits', 'W', 'before', 'now', 'of loss', ''];
  return [
    `${model}, ${dates} against ${champion}: ${moved} of ${tests} features and slices moved (false discoveries held at ${rate}, this window's q-values at ${short(level)})`,
    ...(lossChanged ? [`the daily loss changed on ${when(lossChanged).slice(0, 10)}`] : []),
    '',
    columns(header, rows),
  ].join('\n');
}

const short = (x: number): number => Number(x.toPrecision(2));
