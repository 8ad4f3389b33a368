/**
 * The spans of a cycle as rows of its document: monitoring's own, written with the step that they tell of, and those that
 * the other services report in their events.
 *
 * I1  A span is one row, by its id, however often its event is heard; what belongs to another trace is no row.
 * I2  The document stays small: beyond `keptSpans` rows nothing is added.
 * I3  Nothing reads a row to decide.
 */
import {
  type CycleSpan,
  ModelApproved,
  ModelPromoted,
  ModelRefused,
  ModelRolledBack,
  ModelTrained,
  RolloutChanged,
  RolloutFailed,
  RolloutFollowed,
  CycleSpan as SpanMessage,
  TrainingFailed,
} from '@driftloop/contracts';
import { cycleTraceId } from '@driftloop/service';
import type { FactDocument, SpanRow } from './loop-rows.js';

/** Rows of one cycle, at most. */
export const keptSpans = 200;

type Told = { span?: CycleSpan; spans?: CycleSpan[] };

const tellers: Record<string, (payload: unknown) => Told> = {
  'model.trained': ModelTrained.fromJSON,
  'training.failed': TrainingFailed.fromJSON,
  'model.approved': ModelApproved.fromJSON,
  'model.refused': ModelRefused.fromJSON,
  'rollout.changed': RolloutChanged.fromJSON,
  'rollout.followed': RolloutFollowed.fromJSON,
  'rollout.failed': RolloutFailed.fromJSON,
  'model.promoted': ModelPromoted.fromJSON,
  'model.rolled-back': ModelRolledBack.fromJSON,
};

/** The spans that a fact reports. */
export function spansOf({ topic, payload }: FactDocument): CycleSpan[] {
  const { span, spans = [] } = tellers[topic]?.(JSON.parse(payload)) ?? {};
  return span ? [...spans, span] : spans;
}

/** The rows of a cycle with further spans of it (I1, I2). */
export function withSpans(
  cycleId: string,
  rows: readonly SpanRow[],
  spans: readonly (CycleSpan | undefined)[],
): SpanRow[] {
  const traceId = cycleTraceId(cycleId);
  const all = new Map(rows.map((row) => [row.spanId, row]));
  for (const span of spans)
    if (span?.traceId === traceId && !all.has(span.spanId) && all.size < keptSpans)
      all.set(span.spanId, SpanMessage.toJSON(span) as SpanRow);
  return [...all.values()];
}

const at = (time: Date | undefined): number => time?.getTime() ?? 0;

/** A cycle's rows as messages: the root first, then by event time, then by wall time. */
export function spanMessages(rows: readonly SpanRow[] = []): CycleSpan[] {
  const rank = ({ parentSpanId }: CycleSpan) => (parentSpanId ? 1 : 0);
  return rows
    .map((row) => SpanMessage.fromJSON(row))
    .sort((a, b) => rank(a) - rank(b) || at(a.eventTime) - at(b.eventTime) || at(a.started) - at(b.started));
}
