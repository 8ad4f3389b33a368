/** The rows of the loop, as documents hold them: facts heard, cycles, signals, the watch over a model, sources. Messages inside are proto3 JSON. */
import type { DiscoveryState } from '@driftloop/algorithms';

/** A CycleSpan as proto3 JSON. */
export type SpanRow = { spanId: string; traceId: string };

/** Where the control stands. */
export interface DriftControl {
  readonly champion: string;
  readonly budget: DiscoveryState;
  /** What the newest window was granted. */
  readonly level: number;
  /** `keyOf` of what has moved and not come back, sorted. */
  readonly standing: readonly string[];
}

/** One fact of the loop as heard; `_id` is the event's own id. */
export interface FactDocument {
  _id: string;
  /** tenant/model */
  series: string;
  topic: string;
  /** Event time, epoch ms. */
  time: number;
  /** Holds at any tick, whatever its time: a declaration, a first rollout. */
  timeless: boolean;
  /** Whether a tick has acted on it. */
  settled: boolean;
  /** The payload, proto3 JSON. Text: some hold large histograms that no query looks into. */
  payload: string;
}

export type CycleStage = 'training' | 'gate' | 'shadow' | 'canary' | 'closed';

export type CycleOutcome = 'promoted' | 'refused' | 'rolled_back' | 'superseded' | 'failed' | 'expired';

/** One thing that happened in a cycle. */
export interface CycleStepRow {
  id: string;
  time: number;
  service: string;
  what: string;
  /** A Decision. */
  decision?: unknown;
}

/** One signal, one cycle, one outcome. `_id` is the cycle's id; times are epoch ms. */
export interface CycleDocument {
  _id: string;
  tenant: string;
  series: string;
  model: string;
  number: number;
  purpose: 'bootstrap' | 'retrain';
  signal: string;
  /** 1 for the first against this champion. */
  attempt: number;
  champion: string;
  specRevision: number;
  stage: CycleStage;
  outcome: CycleOutcome | '';
  reasons: string[];
  version: string;
  opened: number;
  cutoff: number;
  /** What was held in quarantine at the opening: QuarantineWindow messages as proto3 JSON. Absent in documents of old. */
  quarantined?: unknown[];
  due: number;
  closed: number | null;
  deadline: number;
  rolloutId: string;
  /** Since when the present stage of the rollout answers. */
  stageSince: number | null;
  /** Stages on which the judge has spoken. */
  judged: string[];
  steps: CycleStepRow[];
  /** Its trace: CycleSpan messages as proto3 JSON (spans.ts). */
  spans: SpanRow[];
  pending?: unknown[];
}

/** A decision of monitoring's outside of a cycle (a signal that sounded, a silence, the breaker); `_id` is the decision's id. */
export interface SignalDocument {
  _id: string;
  series: string;
  time: number;
  decision: unknown;
  pending?: unknown[];
}

/** How far the watch over a model has come. */
export interface WatchDocument {
  /** tenant/model */
  _id: string;
  /** The last tick that changed something. */
  now: number;
  /** The newest closed day (its start) whose signals have been raised. */
  signalled: number | null;
  checked: number | null;
  /** Alerts that sound at present. */
  alerts: string[];
  /** The latest value of every signal: Evidence. */
  latest: unknown[];
  /** Who was champion then; absent in documents of old. */
  latestOf?: string;
  /** Where the trial in shadow stands: Evidence. */
  trial: unknown[];
  /** Where the control of false discoveries stands; absent before the first check. */
  drift?: DriftControl | null;
}

/** How far a source, or the labels, have come; `_id` is tenant/model/source, or tenant/model//labels. */
export interface SourceDocument {
  _id: string;
  series: string;
  watermark: number;
  /** The tick at which it was found silent; null while it speaks. */
  silentSince?: number | null;
}

/** The last tick that was handled to its end. */
export interface ClockDocument {
  _id: 'clock';
  now: number;
  previous: number | null;
}
