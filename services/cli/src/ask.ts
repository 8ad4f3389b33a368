/** Commands that ask and hear: predict, events tail. */
import { CallFailed, Predictor, subscribe } from '@driftloop/client';
import type { Command } from 'commander';
import { show, when } from './output.js';

export interface Doors {
  url: string;
  serving: string;
  token?: string;
}

interface PredictOptions {
  model: string;
  entity: string;
  input: string[];
  use?: string;
  at?: string;
  json?: boolean;
}

export function addAsking(program: Command, doors: () => Doors): void {
  program
    .command('predict')
    .description('ask a model about an entity')
    .option('-m, --model <name>', 'the model', 'flights')
    .requiredOption('-e, --entity <id>', 'the entity, e.g. F100000')
    .option('-i, --input <name=value...>', 'a request input; those that the feature store knows may be left out', [])
    .option('--use <version>', 'a version or alias instead of whoever answers')
    .option('--at <time>', 'event time of the question (needs the replay credential in DRIFTLOOP_TOKEN)')
    .option('--json', 'as JSON')
    .action((options: PredictOptions) => predict(doors(), options));
  const events = program.command('events').description('the facts that Driftloop publishes');
  events
    .command('tail')
    .description('follow the events as they come')
    .option(
      '-t, --topics <topics>',
      'topics, comma-separated',
      'retraining.requested,model.trained,model.approved,model.refused,rollout.changed,rollout.judged,model.promoted,model.rolled-back,cycle.closed,drift.detected,performance.degraded',
    )
    .option('--from <position>', 'earliest, latest, or the position of an event', 'latest')
    .option('--limit <n>', 'end after so many')
    .option('--json', 'one JSON object a line')
    .action((options: { topics: string; from: string; limit?: string; json?: boolean }) => tail(doors(), options));
}

async function predict({ serving, token }: Doors, options: PredictOptions): Promise<void> {
  const predictor = new Predictor(serving, token);
  try {
    const { inputs } = await predictor.metadataOf(options.model);
    const numeric = new Set(inputs.filter((input) => input.datatype === 'FP64').map((input) => input.name));
    const sent = options.input.map((pair) => readInput(pair, numeric));
    const eventTime = options.at ? new Date(options.at) : undefined;
    const question = { model: options.model, entityId: options.entity, version: options.use, eventTime };
    const answer = await predictor.predict({ ...question, inputs: Object.fromEntries(sent) });
    show(options.json, answer, () => {
      const imputed = answer.imputed.length ? `; imputed: ${answer.imputed.join(', ')}` : '';
      return `${options.entity}: ${answer.probability.toFixed(4)} by ${answer.version} (${answer.arm})${imputed}`;
    });
  } finally {
    predictor.close();
  }
}

function readInput(pair: string, numeric: ReadonlySet<string>): [string, string | number] {
  const at = pair.indexOf('=');
  if (at < 1) throw new CallFailed('INPUT_MALFORMED', `--input ${pair}: write name=value`, false);
  const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
  return [name, numeric.has(name) ? Number(value) : value];
}

async function tail(
  { url, token }: Doors,
  options: { topics: string; from: string; limit?: string; json?: boolean },
): Promise<void> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const ending = new AbortController();
  let left = options.limit ? Number(options.limit) : Number.POSITIVE_INFINITY;
  const topics = options.topics.split(',');
  for await (const event of subscribe(url, headers, { topics, after: options.from, signal: ending.signal })) {
    console.log(
      options.json
        ? JSON.stringify(event)
        : `${when(event.time)}  ${event.topic.padEnd(22)}  ${event.key}  ${event.id}`,
    );
    if (--left <= 0) break;
  }
  ending.abort();
}
