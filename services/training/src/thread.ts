/**
 * A training on a thread of its own, from outside: starts it, hears its steps, ends it.
 *
 * I1  The thread ends with a result, a typed failure, or a crash; which one is always told, once.
 * I2  Aborting ends the thread at once.
 */
import { Worker } from 'node:worker_threads';
import { LoopError } from '@driftloop/contracts';
import { disableRuntimeTelemetry } from '@driftloop/onnx';
import { errors } from './errors.js';
import type { Checkpoint, RecipeResult } from './recipe/recipe.js';

/** What the thread is given: plain values only. */
export interface ThreadInput {
  readonly specJson: string;
  readonly dataset: { readonly path: string; readonly uri: string };
  readonly cutoffs: { readonly knowledge: number; readonly champion: number | undefined };
  readonly champion: { readonly version: string; readonly bytes: Uint8Array; readonly recipeJson?: string };
  readonly codeVersion: string;
  readonly checkpoint: Checkpoint;
}

export type ThreadMessage =
  | { readonly kind: 'step'; readonly step: keyof Checkpoint; readonly value: unknown }
  | { readonly kind: 'result'; readonly result: RecipeResult }
  | {
      readonly kind: 'failure';
      readonly failure: { code: string; message: string; retriable: boolean; stack?: string };
    };

export const trainingThread = new URL('./training.worker.js', import.meta.url);

/** Trains on a thread. Throws what the training threw as a LoopError, or WORKER_CRASHED; rejects with the signal's reason. */
export function trainOnThread(
  input: ThreadInput,
  onStep: (step: keyof Checkpoint, value: unknown) => void,
  signal: AbortSignal,
  thread: URL = trainingThread,
): Promise<RecipeResult> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    disableRuntimeTelemetry();
    const worker = new Worker(thread, { workerData: input });
    const abort = () => {
      reject(signal.reason);
      void worker.terminate();
    };
    signal.addEventListener('abort', abort, { once: true });
    worker.on('message', (message: ThreadMessage) => {
      if (message.kind === 'step') onStep(message.step, message.value);
      else if (message.kind === 'result') resolve(message.result);
      else reject(failureOf(message.failure));
    });
    worker.once('error', (error) => reject(errors.WORKER_CRASHED({ reason: error.message })));
    worker.once('exit', (code) => {
      signal.removeEventListener('abort', abort);
      // Too late where a result came first: a promise settles once.
      reject(errors.WORKER_CRASHED({ reason: `exit code ${code}` }));
    });
  });
}

function failureOf({
  code,
  message,
  retriable,
  stack,
}: Extract<ThreadMessage, { kind: 'failure' }>['failure']): LoopError {
  const error = new LoopError('training', code, message, 'FAILED_PRECONDITION', retriable);
  if (stack) error.stack = stack;
  return error;
}
