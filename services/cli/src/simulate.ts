/** The command that tries a policy on recorded history before it is applied: simulate. */
import { type SimulateReport, simulate } from '@driftloop/client';
import type { Command } from 'commander';
import { read } from './act.js';
import type { Open } from './doors.js';
import { columns, show, when } from './output.js';
import { wholeNumber } from './whole-number.js';

interface Options {
  file: string;
  jitters: number;
  seed: number;
  json?: boolean;
}

type Row = SimulateReport['policies'][number];

export function addSimulating(program: Command, open: Open): void {
  program
    .command('simulate')
    .description(
      "replay a spec's policy over recorded history, beside schedules with as many trainings; changes nothing",
    )
    .requiredOption('-f, --file <file>', 'the spec, YAML or JSON; - reads standard input')
    .option('--jitters <n>', 'starts that the mean is taken over, 2 to 48', wholeNumber(2, 48), 12)
    .option('--seed <n>', 'of the random schedules', wholeNumber(0, 999_999_999), 1)
    .option('--json', 'the report as JSON')
    .action(async ({ file, jitters, seed, json }: Options) => {
      const { url, control } = open();
      for await (const { part } of simulate(url, control.headers(), read(file), { jitters, seed })) {
        if (part?.$case === 'progress') progress(part.value);
        if (part?.$case === 'report') {
          clear();
          show(json, part.value, () => report(part.value));
        }
      }
    });
}

/** One line on standard error that is written over; plain lines where that is no terminal. */
function progress({ what, done, of }: { what: string; done: number; of: number }): void {
  const line =
    what === 'models'
      ? `${done} models of at most ${of}`
      : what === 'starts'
        ? `${done} of ${of} starts`
        : 'reading history';
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
}

function clear(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

function report({
  model,
  firstQuestion,
  lastQuestion,
  scoredRows,
  jitters,
  policies,
  trained,
  cached,
  notes,
}: SimulateReport) {
  const header = ['', 'trainings', 'promoted', 'refused', 'log loss', '95%', 'AUC', 'Brier', 'difference', '95%'];
  return [
    `${model}: ${scoredRows} questions, ${when(firstQuestion)} to ${when(lastQuestion)}, ${jitters} starts (${trained} models trained, ${cached} from the cache)`,
    '',
    columns(header, policies.map(row)),
    '',
    'difference: log loss minus the policy’s, from the same start; above 0 the policy is better',
    ...notes.map((note) => `· ${note}`),
  ].join('\n');
}

const row = (p: Row): (string | number)[] => [
  p.name,
  p.trainings.toFixed(1),
  p.promoted.toFixed(1),
  p.refused.toFixed(1),
  p.logLoss.toFixed(5),
  `${p.logLossLow.toFixed(5)} to ${p.logLossHigh.toFixed(5)}`,
  p.auc.toFixed(4),
  p.brier.toFixed(4),
  ...(p.name === 'policy'
    ? ['–', '–']
    : [signed(p.difference), `${signed(p.differenceLow)} to ${signed(p.differenceHigh)}`]),
];

const signed = (x: number): string => `${x >= 0 ? '+' : '−'}${Math.abs(x).toFixed(5)}`;
