/**
 * Simulations, as the service runs them: one at a time, on a thread of its own, behind every real training; reads only.
 *
 * I1  A second simulation is refused at once: RESOURCE_EXHAUSTED.
 * I2  A model is trained only while no job of this process waits or runs.
 * I3  What was computed is kept per training set, recipe and cutoff; what belongs to an older set of the model is let go.
 * I4  A caller that hangs up ends it.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  canonicalJson,
  canonicalSpec,
  FeatureStoreClient,
  LoopError,
  type ModelSpec,
  parseNewModelSpec,
  type SimulateReply,
  SimulateReply as SimulateReplyMessage,
  type SimulateRequest,
  type TrainingSet,
} from '@driftloop/contracts';
import { Objects } from '@driftloop/objects';
import { disableRuntimeTelemetry } from '@driftloop/onnx';
import { Addresses, call } from '@driftloop/service';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { codeVersion } from '../code-version.js';
import { errors } from '../errors.js';
import { TrainingDocuments } from '../training.documents.js';
import type { FromSimulation, SimulationInput, ToSimulation } from './messages.js';

const DATASET_DEADLINE_MS = 300_000;
/** All that has been recorded: no label is known later. */
const EVER = new Date(Date.UTC(2199, 11, 31));
const DEFAULT_JITTERS = 12;
const MOST_JITTERS = 48;
const YIELD_MS = 200;

const simulationThread = new URL('./simulation.worker.js', import.meta.url);

@Injectable()
export class Simulations implements OnModuleDestroy {
  /** Wall time between looks whether real trainings have ended; specs pass less. */
  yieldMs = YIELD_MS;
  readonly #stop = new AbortController();
  #busy = false;

  constructor(
    private readonly documents: TrainingDocuments,
    private readonly objects: Objects,
    private readonly addresses: Addresses,
  ) {}

  onModuleDestroy(): void {
    this.#stop.abort(errors.STOPPING({}));
  }

  /**
   * Runs a simulation, telling of its progress and in the end its report. Throws SIMULATION_BUSY, SPEC_INVALID, SPEC_UNKNOWN, JITTERS_INVALID,
   * HISTORY_TOO_SHORT, or what the feature store throws; rejects with the signal's reason.
   */
  async run(
    tenant: string,
    request: SimulateRequest,
    onPart: (reply: SimulateReply) => void,
    hungUp: AbortSignal,
  ): Promise<void> {
    const spec = parseNewModelSpec(request.spec);
    const jitters = request.jitters || DEFAULT_JITTERS;
    if (jitters < 2 || jitters > MOST_JITTERS) throw errors.JITTERS_INVALID({ jitters, least: 2, most: MOST_JITTERS });
    const model = spec.metadata.name;
    if (!(await this.documents.newestSpec(tenant, model))) throw errors.SPEC_UNKNOWN({ model });
    if (this.#busy) throw errors.SIMULATION_BUSY({});
    this.#busy = true;
    try {
      const signal = AbortSignal.any([hungUp, this.#stop.signal]);
      const tell = (reply: Parameters<typeof SimulateReplyMessage.fromPartial>[0]) =>
        onPart(SimulateReplyMessage.fromPartial(reply));
      tell({ part: { $case: 'progress', value: { what: 'history', done: 0, of: 1 } } });
      const dataset = await this.dataset(spec);
      signal.throwIfAborted();
      const parts = `${tenant}/simulation/${model}/${dataset.sha256}`;
      await this.forget(`${tenant}/simulation/${model}/`, parts);
      tell({ part: { $case: 'progress', value: { what: 'history', done: 1, of: 1 } } });
      const path = await this.objects.getFile(dataset.uri);
      const input = {
        specJson: canonicalSpec(spec).json,
        dataset: { path, uri: dataset.uri },
        jitters,
        seed: request.seed,
      };
      await this.onThread(input, `${parts}/${recipeName(spec)}`, tell, signal);
    } finally {
      this.#busy = false;
    }
  }

  /** The point-in-time set of all that has been recorded, with the features of the given spec. */
  private async dataset(spec: ModelSpec): Promise<TrainingSet> {
    const model = spec.metadata.name;
    const featureStore = this.addresses.client(FeatureStoreClient, 'feature-store');
    const specJson = canonicalSpec(spec).json;
    const request = { model, specRevision: 0, knowledgeCutoff: EVER, excluded: [], specJson };
    const options = { deadlineMs: DATASET_DEADLINE_MS };
    return call(featureStore, 'buildTrainingSet', request, options).finally(() => featureStore.close());
  }

  /** I3 */
  private async forget(model: string, present: string): Promise<void> {
    for (const { key } of await this.objects.list(model))
      if (!key.startsWith(`${present}/`)) await this.objects.delete(key);
  }

  /** Resolves when the thread has ended; an abort ends it as soon as it may be ended (messages.ts). */
  private async onThread(
    input: SimulationInput,
    folder: string,
    tell: (reply: SimulateReply) => void,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    disableRuntimeTelemetry();
    const worker = new Worker(simulationThread, { workerData: input });
    let outcome: { error: unknown } | 'reported' | undefined;
    let reading = true;
    const end = (ending: typeof outcome) => {
      outcome ??= ending;
      if (!reading) void worker.terminate();
    };
    const failed = (error: unknown) => end({ error });
    const abort = () => failed(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    worker.on('error', (error) => failed(errors.WORKER_CRASHED({ reason: error.message })));
    worker.on('message', (message: FromSimulation) => {
      if (message.kind === 'read' || message.kind === 'failure') reading = false;
      if (message.kind === 'failure') return failed(failureOf(message.failure));
      if (outcome) return end(outcome);
      if (message.kind === 'ask')
        this.answer(message.part, folder, signal).then((answer) => worker.postMessage(answer), failed);
      else if (message.kind === 'keep') this.objects.put(`${folder}/${message.part}`, message.bytes).catch(failed);
      else if (message.kind === 'progress') tell({ part: { $case: 'progress', value: message.progress } });
      else if (message.kind === 'report') {
        tell({ part: { $case: 'report', value: message.report } });
        end('reported');
      }
    });
    const code = await new Promise<number>((resolve) => worker.once('exit', resolve));
    signal.removeEventListener('abort', abort);
    if (outcome === 'reported') return;
    throw outcome?.error ?? errors.WORKER_CRASHED({ reason: `exit code ${code}` });
  }

  /** A kept part, or leave to compute it, as soon as no real training needs the machine (I2). */
  private async answer(part: string, folder: string, signal: AbortSignal): Promise<ToSimulation> {
    const key = `${folder}/${part}`;
    if (await this.objects.exists(key)) return { part, bytes: await this.objects.get(key) };
    while (await this.documents.jobs.exists({ state: { $in: ['queued', 'running'] } }))
      await sleep(this.yieldMs, undefined, { signal });
    return { part, bytes: undefined };
  }
}

/** What a trained model depends on besides the training set. */
function recipeName({ spec }: ModelSpec): string {
  const { parameters, search, calibration, seed, recipe } = spec.training;
  const text = canonicalJson({ recipe, parameters, search, calibration, seed, codeVersion });
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

const failureOf = ({ code, message, stack }: { code: string; message: string; stack?: string }): LoopError => {
  const error = new LoopError('training', code, message, stack ? 'INTERNAL' : 'FAILED_PRECONDITION', false);
  if (stack) error.stack = stack;
  return error;
};
