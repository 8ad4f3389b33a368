/** The simulation's thread: yields to everything else of this machine. */
import os from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { BadInput } from '@driftloop/algorithms';
import { LoopError, parseModelSpec } from '@driftloop/contracts';
import { errors } from '../errors.js';
import { readTrainingSet } from '../recipe/read-parquet.js';
import type { FromSimulation, SimulationInput, ToSimulation } from './messages.js';
import type { Parts } from './models.js';
import { runSimulation } from './simulation.js';

const tell = (message: FromSimulation) => parentPort?.postMessage(message);
const waiting = new Map<string, (bytes: Uint8Array | undefined) => void>();
parentPort?.on('message', ({ part, bytes }: ToSimulation) => {
  waiting.get(part)?.(bytes);
  waiting.delete(part);
});

const parts: Parts = {
  ask: (part) =>
    new Promise((resolve) => {
      waiting.set(part, resolve);
      tell({ kind: 'ask', part });
    }),
  keep: (part, bytes) => tell({ kind: 'keep', part, bytes }),
};

async function run({ specJson, dataset, jitters, seed }: SimulationInput): Promise<void> {
  // On Linux a priority is the thread's own; elsewhere it would be the whole process's.
  if (os.platform() === 'linux') os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
  const spec = parseModelSpec(specJson);
  const table = await readTrainingSet(dataset.path, spec, dataset.uri);
  tell({ kind: 'read' });
  const report = await runSimulation({ table, spec, jitters, seed }, parts, (progress) =>
    tell({ kind: 'progress', progress }),
  );
  tell({ kind: 'report', report });
}

function failureOf(error: unknown): Extract<FromSimulation, { kind: 'failure' }>['failure'] {
  if (error instanceof LoopError || error instanceof BadInput) return { code: error.code, message: error.message };
  const { code, message } = errors.INTERNAL_FAULT({ where: 'the simulation' });
  return { code, message, stack: error instanceof Error ? error.stack : String(error) };
}

await run(workerData as SimulationInput)
  .catch((error: unknown) => tell({ kind: 'failure', failure: failureOf(error) }))
  .finally(() => parentPort?.close());
