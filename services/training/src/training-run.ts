/**
 * One training, start to end: the point-in-time set from the feature store, the champion from the registry, the recipe
 * on a thread, the artifacts into the object store.
 *
 * I1  Each step is checkpointed under the job's fence; a run that comes after a crash takes up what is there.
 * I2  Artifacts are named by their hash: writing them again changes nothing.
 */
import { createHash } from 'node:crypto';
import type { BoosterModel } from '@driftloop/algorithms';
import {
  type Artifact,
  FeatureStoreClient,
  isRetriable,
  ModelTrained,
  parseModelSpec,
  QuarantineWindow,
  RegistryClient,
  type Version,
} from '@driftloop/contracts';
import { Objects } from '@driftloop/objects';
import { Addresses, CycleSpans, call, spanTraceparent } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { codeVersion } from './code-version.js';
import { errors } from './errors.js';
import { Jobs } from './jobs.js';
import { type Checkpoint, type RecipeResult, recipeJson } from './recipe/recipe.js';
import { keptWith, partOf } from './spans.js';
import { Steps } from './steps.js';
import { trainOnThread } from './thread.js';
import { type JobDocument, type SpecDocument, TrainingDocuments } from './training.documents.js';

const DATASET_DEADLINE_MS = 300_000;

@Injectable()
export class TrainingRun {
  constructor(
    private readonly documents: TrainingDocuments,
    private readonly jobs: Jobs,
    private readonly objects: Objects,
    private readonly addresses: Addresses,
    private readonly spans: CycleSpans,
  ) {}

  /** The candidate of a job. Throws LeaseLost, or the failure as a LoopError. */
  async train(job: JobDocument, signal: AbortSignal): Promise<ModelTrained> {
    const { tenant, model, specRevision } = job;
    const spec = await this.documents.spec(tenant, model, specRevision);
    if (!spec) throw errors.SPEC_NOT_HEARD({ model });
    const champion = await unlessAborted(signal, this.champion(job));
    const dataset = await unlessAborted(signal, this.dataset(job, signal));
    const cutoff = champion.lineage?.knowledgeCutoff?.getTime();
    const input = {
      specJson: spec.specJson,
      dataset: { uri: dataset.uri, path: await this.objects.getFile(dataset.uri) },
      cutoffs: { knowledge: job.knowledgeCutoff.getTime(), champion: cutoff },
      champion: {
        version: champion.version,
        bytes: await this.bytesOf(champion),
        recipeJson: champion.lineage?.recipeJson,
      },
      codeVersion,
      checkpoint: await this.restored(job),
    };
    const steps = new Steps(this.jobs, this.objects, this.spans, job);
    const result = await trainOnThread(input, (step, value) => steps.add(step, value), signal);
    await steps.written();
    const trained = await this.candidate(job, spec, result);
    await this.exported(job, trained, steps.since);
    await steps.clear();
    return trained;
  }

  private async champion(job: JobDocument): Promise<Version> {
    const registry = this.addresses.client(RegistryClient, 'registry');
    const request = { model: job.model, version: job.champion };
    return call(registry, 'getVersion', request).finally(() => registry.close());
  }

  private async bytesOf({ model, version, released }: Version): Promise<Uint8Array> {
    if (!released) throw errors.CHAMPION_UNUSABLE({ model, version, found: 'it has no artifact' });
    return this.objects.get(released.uri, released.sha256);
  }

  private async dataset(job: JobDocument, signal: AbortSignal) {
    if (job.checkpoint.dataset) return job.checkpoint.dataset;
    const featureStore = this.addresses.client(FeatureStoreClient, 'feature-store');
    const { model, specRevision, knowledgeCutoff } = job;
    const request = { model, specRevision, knowledgeCutoff, excluded: quarantinedOf(job), specJson: '' };
    const started = this.spans.begin();
    const asking = partOf(this.spans, job, 'dataset', started);
    const options = {
      deadlineMs: DATASET_DEADLINE_MS,
      signal,
      ...(asking && { traceparent: spanTraceparent(asking) }),
    };
    const answer = call(featureStore, 'buildTrainingSet', request, options).finally(() => featureStore.close());
    const { uri, sha256, rows, excludedRows, span: built } = await answer;
    const dataset = { uri, sha256, rows, excludedRows };
    const facts = { 'driftloop.dataset.rows': rows, 'driftloop.dataset.sha256': sha256 };
    const span = partOf(this.spans, job, 'dataset', started, facts);
    const kept = { began: started, spans: keptWith(job, [span, built]) };
    await this.jobs.checkpoint(job, { dataset, ...kept }, `dataset of ${rows} rows`);
    this.spans.send(span);
    return dataset;
  }

  private async exported(job: JobDocument, { released, graphError }: ModelTrained, started: number): Promise<void> {
    const facts = { 'driftloop.artifact.sha256': released?.sha256, 'driftloop.graph_error': graphError };
    const span = partOf(this.spans, job, 'export', started, facts);
    await this.jobs.checkpoint(job, { spans: keptWith(job, [span]) }, 'exported');
    this.spans.send(span);
  }

  private async restored({ checkpoint }: JobDocument): Promise<Checkpoint> {
    const { trials, parameters, calibrator, twinKey, twinSha256, releasedKey, releasedSha256 } = checkpoint;
    const twin = await this.restoredModel(twinKey, twinSha256);
    return { trials, parameters, calibrator, twin, released: await this.restoredModel(releasedKey, releasedSha256) };
  }

  /** Undefined, and so fitted anew, where its bytes are gone or are not those that were written. */
  private async restoredModel(key: string | undefined, sha256: string | undefined): Promise<BoosterModel | undefined> {
    // What the artifacts hold is deleted just before the job says so: a crash in between finds it gone.
    if (!key || !(await this.objects.exists(key))) return undefined;
    try {
      return JSON.parse(new TextDecoder().decode(await this.objects.get(key, sha256))) as BoosterModel;
    } catch (error) {
      if (isRetriable(error)) throw error;
      return undefined;
    }
  }

  private async artifact(job: JobDocument, bytes: Uint8Array): Promise<Artifact> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const stored = await this.objects.put(`${job.tenant}/models/${job.model}/${sha256}.onnx`, bytes);
    return { uri: stored.key, sha256, bytes: bytes.byteLength };
  }

  private async candidate(job: JobDocument, spec: SpecDocument, result: RecipeResult): Promise<ModelTrained> {
    const { dataset } = job.checkpoint;
    return ModelTrained.fromPartial({
      tenant: job.tenant,
      model: job.model,
      cycleId: job.cycleId,
      jobId: job._id,
      eventTime: job.due,
      purpose: job.purpose,
      champion: job.champion,
      rolloutRevision: job.rolloutRevision,
      lineage: {
        datasetSha256: dataset?.sha256,
        datasetUri: dataset?.uri,
        datasetRows: dataset?.rows,
        specRevision: job.specRevision,
        specSha256: spec.specSha256,
        codeVersion,
        seed: parseModelSpec(spec.specJson).spec.training.seed,
        knowledgeCutoff: job.knowledgeCutoff,
        embargoStart: new Date(result.embargoStart),
        recipeJson: recipeJson(result.recipe),
        excludedRows: dataset?.excludedRows ?? 0,
        quarantined: quarantinedOf(job),
      },
      released: await this.artifact(job, result.released),
      twin: await this.artifact(job, result.twin),
      metrics: result.metrics,
      comparison: result.comparison,
      reference: result.reference,
      graphError: result.graphError,
    });
  }
}

/** What the set leaves out: the stretches that were held when the training was asked for. */
const quarantinedOf = ({ quarantined = [] }: JobDocument): QuarantineWindow[] =>
  quarantined.map((window) => QuarantineWindow.fromJSON(window));

/** Does not wait for an answer that nobody needs any more. */
function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
