/**
 * What is told when: a job's outcome is an event at its due time, however early it ended.
 *
 * I1  A state changes together with its event, by compare-and-set: an outcome is told once.
 * I2  Outcomes are told in the order of their due times.
 * I3  In a replay the tick waits for the jobs that are due; live it does not, and a job that has not ended by its deadline
 *     is given up: its fence rises, so that a worker that is still at it can write nothing.
 * I4  A job whose outcome cannot be told by a fault of its own waits for the next tick, aloud; the others are told.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type CycleSpan, events, ModelTrained, TrainingFailed } from '@driftloop/contracts';
import { type Cause, emission, Outbox } from '@driftloop/documents';
import { CycleSpans, Isolation, Readiness } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { errors, type Failure } from './errors.js';
import { JobTimes } from './job-times.js';
import { spansOf } from './spans.js';
import { type JobDocument, TrainingDocuments } from './training.documents.js';

/** What a model is set aside from, as metrics name it. */
const told = 'training outcome';

@Injectable()
export class Due {
  constructor(
    private readonly documents: TrainingDocuments,
    private readonly outbox: Outbox,
    private readonly readiness: Readiness,
    private readonly times: JobTimes,
    private readonly spans: CycleSpans,
    private readonly isolation: Isolation,
  ) {}

  /** Tells of every job that is due. Throws STOPPING (retriable) when the service stops while a replay waits. */
  async report(now: Date, replay: boolean, cause: Cause): Promise<void> {
    if (replay) await this.ended(now);
    for (const job of await this.documents.dueBy(now, ['finished']))
      await this.isolation.guard(job, told, () => this.tell(job, cause)); // I4
    for (const job of await this.documents.dueBy(now, ['queued', 'running']))
      if (job.deadline <= now) await this.isolation.guard(job, told, () => this.giveUp(job, cause));
  }

  private async ended(now: Date): Promise<void> {
    while ((await this.documents.dueBy(now, ['queued', 'running'])).length > 0) {
      if (this.readiness.reasons.includes('stopping')) throw errors.STOPPING({});
      await sleep(this.times.waitMs);
    }
  }

  private async tell(job: JobDocument, cause: Cause): Promise<void> {
    const time = job.due.getTime();
    const spans = spansOf(this.spans, job, cause.traceparent);
    const [state, event] = job.failure
      ? (['failed', emission(events.trainingFailed, failed(job, job.failure, job.due, spans), time)] as const)
      : (['reported', emission(events.modelTrained, { ...ModelTrained.fromJSON(job.result), spans }, time)] as const);
    const filter = { _id: job._id, state: 'finished' };
    const update = { $set: { state } };
    const written = await this.outbox.update(this.documents.jobs, filter, update, [event], causeOf(job, cause));
    if (written) this.spans.send(spans[0]);
  }

  private async giveUp(job: JobDocument, cause: Cause): Promise<void> {
    const { code, message } = errors.DEADLINE_PASSED({ deadline: job.deadline.toISOString() });
    const failure = { code, reason: `${message} (${job.progress})` };
    const spans = spansOf(this.spans, { ...job, failure }, cause.traceparent);
    const event = emission(events.trainingFailed, failed(job, failure, job.deadline, spans), job.deadline.getTime());
    const filter = { _id: job._id, fence: job.fence, state: job.state };
    const update = { $set: { state: 'failed', failure }, $inc: { fence: 1 } };
    const written = await this.outbox.update(this.documents.jobs, filter, update, [event], causeOf(job, cause));
    if (written) this.spans.send(spans[0]);
  }
}

const causeOf = (job: JobDocument, cause: Cause): Cause => ({ ...cause, tenant: job.tenant });

function failed(
  job: JobDocument,
  { code, reason }: Failure,
  eventTime: Date,
  spans: readonly CycleSpan[],
): TrainingFailed {
  const { _id: jobId, tenant, model, cycleId } = job;
  return TrainingFailed.fromPartial({ tenant, model, cycleId, jobId, eventTime, code, reason, spans: [...spans] });
}
