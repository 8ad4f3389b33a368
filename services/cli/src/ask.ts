/** The command that asks a model: predict. */
import { decimalOf, readTime } from '@driftloop/client';
import { type Command, InvalidArgumentError } from 'commander';
import { type Doors, misused, type Open, withModel } from './doors.js';
import { show } from './output.js';

interface Options {
  model?: string;
  entity: string;
  input: string[];
  use?: string;
  at?: Date;
  json?: boolean;
}

export function addAsking(program: Command, open: Open): void {
  withModel(program.command('predict').description('ask a model about an entity'))
    .requiredOption('-e, --entity <id>', 'the entity, e.g. F100000')
    .option('-i, --input <name=value...>', 'a request input; those that the feature store knows may be left out', [])
    .option('--use <version>', 'a version or alias instead of whoever answers')
    .option('--at <time>', 'ask as of this event time (needs the replay credential in DRIFTLOOP_TOKEN)', time)
    .option('--json', 'as JSON')
    .action((options: Options) => predict(open(), options));
}

async function predict(doors: Doors, { model, entity, input, use, at, json }: Options): Promise<void> {
  const name = await doors.model(model);
  const predictor = doors.predictor();
  try {
    const { inputs } = await predictor.metadataOf(name);
    const numeric = new Set(inputs.filter((i) => i.datatype === 'FP64').map((i) => i.name));
    const sent = Object.fromEntries(input.map((pair) => readInput(pair, numeric)));
    const question = { model: name, entityId: entity, version: use, eventTime: at, inputs: sent };
    const answer = await predictor.predict(question);
    show(json, answer, () => {
      const imputed = answer.imputed.length ? `\nmissing and imputed: ${answer.imputed.join(', ')}` : '';
      const minutes = Math.round(answer.behindMs / 60_000);
      const stale = answer.stale.length ? `\nstale, ${minutes} minutes behind: ${answer.stale.join(', ')}` : '';
      return `${entity}: ${answer.probability.toFixed(4)} by ${answer.version} (${answer.arm})${imputed}${stale}`;
    });
  } finally {
    predictor.close();
  }
}

function readInput(pair: string, numeric: ReadonlySet<string>): [string, string | number] {
  const at = pair.indexOf('=');
  if (at < 1) throw misused(`--input ${pair}: write name=value`);
  const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
  if (!numeric.has(name)) return [name, value];
  const number = decimalOf(value);
  if (number === undefined) throw misused(`--input ${pair}: ${name} is a decimal number, such as -1.5 or 2e3`);
  return [name, number];
}

function time(text: string): Date {
  const read = readTime(text, { utc: true });
  if ('ms' in read) return new Date(read.ms);
  throw new InvalidArgumentError(`It is ${read.problem}.`);
}
