/** The training thread: reads the training set, runs the recipe, tells of each step. */
import { parentPort, workerData } from 'node:worker_threads';
import { BadInput } from '@driftloop/algorithms';
import { LoopError, parseModelSpec } from '@driftloop/contracts';
import { errors } from './errors.js';
import { trainingPoints } from './points.js';
import { readTrainingSet } from './recipe/read-parquet.js';
import { runRecipe } from './recipe/recipe.js';
import type { ThreadInput, ThreadMessage } from './thread.js';

const tell = (message: ThreadMessage) => parentPort?.postMessage(message);

async function run({ specJson, dataset, cutoffs, champion, codeVersion, checkpoint }: ThreadInput): Promise<void> {
  const spec = parseModelSpec(specJson);
  const table = await readTrainingSet(dataset.path, spec, dataset.uri);
  const input = { table, spec, cutoffs, champion, codeVersion };
  const result = await runRecipe(input, checkpoint, (step, value) => {
    trainingPoints.step.publish(step);
    tell({ kind: 'step', step, value });
  });
  tell({ kind: 'result', result });
}

function failureOf(error: unknown): Extract<ThreadMessage, { kind: 'failure' }>['failure'] {
  if (error instanceof LoopError) return { code: error.code, message: error.message, retriable: error.retriable };
  if (error instanceof BadInput) return { code: error.code, message: error.message, retriable: false };
  const { code, message } = errors.INTERNAL_FAULT({ where: 'the training thread' });
  return { code, message, retriable: false, stack: error instanceof Error ? error.stack : String(error) };
}

await run(workerData as ThreadInput).catch((error: unknown) => tell({ kind: 'failure', failure: failureOf(error) }));
