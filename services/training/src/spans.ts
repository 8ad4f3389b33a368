/**
 * The spans of a training in its cycle's trace: the training itself, told when it is due, and below it the steps that the
 * job's checkpoints mark, each kept with its checkpoint.
 */
import { CycleSpan } from '@driftloop/contracts';
import type { CycleAct, CycleSpans } from '@driftloop/service';
import type { JobDocument } from './training.documents.js';

/** The step that the others are parts of. */
const training = { service: 'training', step: 'training' };

const commonOf = ({ _id, cycleId, requested }: JobDocument) => ({
  cycleId,
  eventTime: requested.getTime(),
  attributes: { 'driftloop.job.id': _id },
});

/** A part of a training. `started`, `ended` (now where it is left out): wall ms. */
export function partOf(
  spans: CycleSpans,
  job: JobDocument,
  step: 'dataset' | 'search' | 'train' | 'export',
  started: number,
  attributes: CycleAct['attributes'] = {},
  ended?: number,
): CycleSpan | undefined {
  const common = commonOf(job);
  return spans.row({
    ...{ ...common, step, parent: training, started, ended },
    attributes: { ...common.attributes, ...attributes },
  });
}

/** The spans that a job keeps with the rows to come; a part that is done again is there already. */
export function keptWith({ checkpoint }: JobDocument, rows: readonly (CycleSpan | undefined)[]): unknown[] {
  const kept = checkpoint.spans ?? [];
  const known = new Set(kept.map((row) => (row as { spanId: string }).spanId));
  return [...kept, ...rows.flatMap((row) => (row && !known.has(row.spanId) ? [CycleSpan.toJSON(row)] : []))];
}

/** All spans of a training that has ended, itself first. `told`: traceparent of the work that tells of it. */
export function spansOf(spans: CycleSpans, job: JobDocument, told: string | undefined): CycleSpan[] {
  const parts = (job.checkpoint.spans ?? []).map((row) => CycleSpan.fromJSON(row));
  const times = parts.map(({ ended }) => ended!.getTime());
  const started = job.checkpoint.began ?? times[0];
  const { code, reason } = job.failure ?? {};
  const common = commonOf(job);
  const own = spans.row({
    ...{ ...common, step: training.step, started, links: [job.traceparent, told] },
    ...(times.length > 0 && { ended: Math.max(...times) }),
    attributes: {
      ...common.attributes,
      ...{ 'driftloop.model': job.model, 'driftloop.purpose': job.purpose, 'driftloop.champion': job.champion },
      ...{ 'driftloop.due': job.due.toISOString(), 'driftloop.progress': job.progress },
      'driftloop.dataset.rows': job.checkpoint.dataset?.rows,
    },
    ...(code && { error: `${code}: ${reason}` }),
  });
  return own ? [own, ...parts] : parts;
}
