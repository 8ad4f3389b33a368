/**
 * Jobs as documents: queued by an event, claimed under a lease, checkpointed, finished once.
 *
 * I1  A job's id is the hash of tenant, model, cycle and attempt: the same request is the same job.
 * I2  Every claim raises the fence; every later write names the fence it was made under, so that a worker whose lease was
 *     taken over can change nothing any more.
 * I3  A lease is renewed on wall time; one that was not is claimed by another worker, which goes on from the checkpoint.
 * I4  Claims go by fair share: the tenant with the fewest running jobs first, then by due time.
 */
import { createHash } from 'node:crypto';
import {
  durationMs,
  type ModelSpec,
  ModelTrained,
  parseModelSpec,
  QuarantineWindow,
  type RetrainingRequested,
} from '@driftloop/contracts';
import { WallClock } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { errors, type Failure } from './errors.js';
import { JobTimes } from './job-times.js';
import { trainingPoints } from './points.js';
import { type JobCheckpoint, type JobDocument, TrainingDocuments } from './training.documents.js';

/** The lease was taken over, or the job was ended from outside: whoever gets this stops and writes nothing. */
export class LeaseLost extends Error {}

/** The id of a request's job. */
export function jobId({ tenant, model, cycleId, attempt }: RetrainingRequested): string {
  return createHash('sha256')
    .update(JSON.stringify([tenant, model, cycleId, attempt]))
    .digest('hex')
    .slice(0, 32);
}

@Injectable()
export class Jobs {
  /** Called when a job is there to be claimed. */
  onQueued: () => void = () => {};

  constructor(
    private readonly documents: TrainingDocuments,
    private readonly clock: WallClock,
    private readonly times: JobTimes,
  ) {}

  /** Writes the job of a request, once. Throws SPEC_NOT_HEARD (retriable) while the declaration is on its way. */
  async queue(request: RetrainingRequested, traceparent?: string): Promise<void> {
    const { tenant, model, knowledgeCutoff, due } = request;
    const spec = await this.documents.newestSpec(tenant, model);
    if (!spec) throw errors.SPEC_NOT_HEARD({ model });
    if (!knowledgeCutoff || !due) throw errors.REQUEST_INVALID({ model, missing: 'knowledge_cutoff or due' });
    const job = {
      ...newJob(request, spec.revision, parseModelSpec(spec.specJson)),
      ...(traceparent && { traceparent }),
    };
    await this.documents.jobs.updateOne({ _id: job._id }, { $setOnInsert: job }, { upsert: true });
    this.onQueued();
  }

  /** Takes a job that is queued, or whose lease ran out; null when there is none. */
  async claim(owner: string): Promise<JobDocument | null> {
    const now = this.clock.now();
    const open = await this.documents.jobs.find({ state: { $in: ['queued', 'running'] } }).lean<JobDocument[]>();
    const held = (job: JobDocument) => job.state === 'running' && job.leaseUntil > now;
    const running = new Map<string, number>();
    for (const job of open.filter(held)) running.set(job.tenant, (running.get(job.tenant) ?? 0) + 1);
    const share = (job: JobDocument) => running.get(job.tenant) ?? 0;
    const free = open.filter((job) => !held(job) && (job.state === 'running' || job.notBefore <= now));
    free.sort((a, b) => share(a) - share(b) || a.due.getTime() - b.due.getTime() || (a._id < b._id ? -1 : 1));
    for (const { _id, state, fence, leaseOwner } of free) {
      const lease = { state: 'running', leaseOwner: owner, leaseUntil: now + this.times.leaseMs };
      const filter = { _id, state, fence };
      // A job of this very process was not lost: its lease could not be renewed or given back.
      const losses = state === 'running' && leaseOwner !== owner ? 1 : 0;
      const claimed = await this.documents.jobs
        .findOneAndUpdate(filter, { $set: lease, $inc: { fence: 1, losses } }, { returnDocument: 'after' })
        .lean<JobDocument>();
      if (claimed) return claimed;
    }
    return null;
  }

  /** Ends every lease: for the only process there can be, as it starts. */
  async endLeases(): Promise<void> {
    await this.documents.jobs.updateMany({ state: 'running' }, { $set: { leaseUntil: 0 } });
  }

  /** Keeps the lease. Throws LeaseLost. */
  async renew(job: JobDocument): Promise<void> {
    await this.write(job, { leaseUntil: this.clock.now() + this.times.leaseMs });
  }

  /** Adds to the job's checkpoint. Throws LeaseLost. */
  async checkpoint(job: JobDocument, part: JobCheckpoint, progress: string): Promise<void> {
    const fields = Object.entries(part).map(([name, value]) => [`checkpoint.${name}`, value]);
    await this.write(job, { ...Object.fromEntries(fields), progress });
    Object.assign(job.checkpoint, part);
    trainingPoints.checkpoint.publish(Object.keys(part)[0]);
  }

  /** Ends the job with a candidate; told when it is due. Throws LeaseLost. */
  async finish(job: JobDocument, trained: ModelTrained, seconds: number): Promise<void> {
    const result = ModelTrained.toJSON(trained);
    trainingPoints.beforeFinish.publish(job.purpose);
    await this.write(job, { state: 'finished', result, seconds, failure: null, progress: 'trained', leaseUntil: 0 });
    trainingPoints.afterFinish.publish(job.purpose);
  }

  /** Ends the job without one. Throws LeaseLost. */
  async fail(job: JobDocument, failure: Failure): Promise<void> {
    await this.write(job, { state: 'finished', failure, progress: failure.code, leaseUntil: 0 });
  }

  /** Gives a job back after a failure that may pass, to be tried again later; after too many, ends it. Throws LeaseLost. */
  async retry(job: JobDocument, failure: Failure, limit: number): Promise<void> {
    const retries = job.retries + 1;
    if (retries >= limit) return this.fail(job, exhausted(retries, failure));
    const wait = Math.min(this.times.longestBackoffMs, this.times.backoffMs * 2 ** job.retries);
    const notBefore = this.clock.now() + wait;
    await this.write(job, {
      state: 'queued',
      retries,
      notBefore,
      leaseUntil: 0,
      progress: `waits after ${failure.code}`,
    });
  }

  /** Gives a job back as it is: this worker is stopping. */
  async release(job: JobDocument): Promise<void> {
    await this.write(job, { state: 'queued', leaseUntil: 0 });
  }

  private async write(job: JobDocument, fields: Record<string, unknown>): Promise<void> {
    const { _id, fence } = job;
    const { matchedCount } = await this.documents.jobs.updateOne({ _id, fence, state: 'running' }, { $set: fields });
    if (matchedCount === 0) throw new LeaseLost(`job ${_id} is no longer held under fence ${fence}`);
  }
}

/** The last failure's own code stays visible: "given up" alone tells nobody what to mend. */
function exhausted(attempts: number, { code, reason }: Failure): Failure {
  return { code, reason: errors.ATTEMPTS_EXHAUSTED({ attempts, last: reason }).message };
}

function newJob(request: RetrainingRequested, specRevision: number, spec: ModelSpec): JobDocument {
  const { tenant, model, cycleId, attempt, champion, rolloutRevision, purpose } = request;
  const requested = request.decision?.eventTime ?? (request.knowledgeCutoff as Date);
  return {
    _id: jobId(request),
    tenant,
    model,
    cycleId,
    attempt,
    champion,
    rolloutRevision,
    purpose,
    specRevision,
    knowledgeCutoff: request.knowledgeCutoff as Date,
    quarantined: request.quarantined.map((window) => QuarantineWindow.toJSON(window)),
    due: request.due as Date,
    requested,
    deadline: new Date(requested.getTime() + durationMs(spec.spec.retraining.deadlines.training)),
    state: 'queued',
    leaseOwner: '',
    leaseUntil: 0,
    fence: 0,
    notBefore: 0,
    retries: 0,
    losses: 0,
    checkpoint: {},
    progress: 'queued',
    failure: null,
    seconds: 0,
  };
}
