/**
 * The spans of a cycle's trace. Each is made as a row, which goes into the event that tells of the step, and is sent as
 * an OTLP span from that row: the two are one thing.
 *
 * I1  The trace's id is a hash of the cycle's, a span's of the trace, the service and the step: a step that is done
 *     again, after a crash or in another run, is the same span.
 * I2  Wall times are in spans for people to see; nothing reads them to decide.
 * I3  A span is sent after what it tells of has been written; the row is written with it.
 */
import { createHash } from 'node:crypto';
import { CycleSpan, type Decision } from '@driftloop/contracts';
import type { WallClock } from './clock.js';
import type { Telemetry } from './telemetry/telemetry.js';

/** A step of a cycle: the service that does it, and its name there. */
export interface CycleStepName {
  readonly service: string;
  readonly step: string;
}

/** The root of every cycle's trace. */
export const openedStep: CycleStepName = { service: 'monitoring', step: 'cycle opened' };

/** What was done. */
export interface CycleAct {
  readonly cycleId: string;
  /** Unique in the cycle and the service. */
  readonly step: string;
  /** What people read; the step where it is left out. */
  readonly name?: string;
  /** The step that this one is part of; the root where it is left out. */
  readonly parent?: CycleStepName;
  /** Where in event time it belongs, epoch ms. */
  readonly eventTime: number;
  /** When the work on it began, wall ms (`begin`); now where it is left out. */
  readonly started?: number;
  /** When it ended, wall ms; now where it is left out. */
  readonly ended?: number;
  /** Traceparents of the work that did it. */
  readonly links?: readonly (string | undefined)[];
  readonly attributes?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly decision?: Decision;
  readonly error?: string;
}

const hex = (digits: number, ...named: string[]): string =>
  createHash('sha256').update(JSON.stringify(named)).digest('hex').slice(0, digits);

/** The id of a cycle's trace: 32 hex digits. */
export const cycleTraceId = (cycleId: string): string => hex(32, 'cycle', cycleId);

const spanIdOf = (traceId: string, { service, step }: CycleStepName): string => hex(16, traceId, service, step);

/** A span as W3C trace context, to be passed on to whom it asks. */
export const spanTraceparent = ({ traceId, spanId }: CycleSpan): string => `00-${traceId}-${spanId}-01`;

const shownEvidence = 12;
const longestText = 400;

/** What a decision says, as a span's attributes. */
export function decisionAttributes(said: Decision): Record<string, string> {
  const { id, kind, outcome, reasons, evidence } = said;
  const facts: Record<string, string> = {
    'driftloop.decision.id': id,
    'driftloop.decision.kind': kind,
    'driftloop.decision.outcome': outcome,
    ...(reasons.length > 0 && { 'driftloop.decision.reasons': reasons.join('; ').slice(0, longestText) }),
  };
  for (const { test, subject, statistic, threshold } of evidence.slice(0, shownEvidence)) {
    const name = `driftloop.evidence.${test}${subject && `.${subject}`}`;
    facts[`${name}.statistic`] = String(statistic);
    facts[`${name}.threshold`] = String(threshold);
  }
  return facts;
}

/** Injectable: makes and sends a service's own spans of cycles. */
export class CycleSpans {
  constructor(
    private readonly service: string,
    private readonly telemetry: Telemetry,
    private readonly clock: WallClock,
  ) {}

  /** The wall time at which work begins, ms. */
  begin(): number {
    return this.clock.now();
  }

  /** The row of a step. Without a cycle (a person's act, a declaration) there is none. */
  row(act: CycleAct): CycleSpan | undefined {
    if (!act.cycleId) return undefined;
    const traceId = cycleTraceId(act.cycleId);
    const own = { service: this.service, step: act.step };
    const isRoot = own.service === openedStep.service && own.step === openedStep.step;
    const parentSpanId = isRoot ? '' : spanIdOf(traceId, act.parent ?? openedStep);
    const attributes = { 'driftloop.cycle.id': act.cycleId, ...act.attributes };
    return this.made({ ...act, attributes }, { traceId, spanId: spanIdOf(traceId, own), parentSpanId });
  }

  /** The row of work that another service's span asked for; none where it gave no (valid) traceparent. */
  rowBelow(traceparent: string | undefined, act: Omit<CycleAct, 'cycleId' | 'parent'>): CycleSpan | undefined {
    const [, traceId, parentSpanId] = traceparent?.match(/^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/) ?? [];
    if (!traceId) return undefined;
    const spanId = hex(16, traceId, this.service, act.step, parentSpanId);
    return this.made(act, { traceId, spanId, parentSpanId });
  }

  /** Sends rows as OTLP spans, where somebody receives them. */
  send(...rows: readonly (CycleSpan | undefined)[]): void {
    for (const row of rows) if (row) this.sendOne(row);
  }

  private made(act: Omit<CycleAct, 'cycleId'>, ids: Pick<CycleSpan, 'traceId' | 'spanId' | 'parentSpanId'>): CycleSpan {
    const now = this.clock.now();
    const attributes = Object.entries({ ...act.attributes, ...(act.decision && decisionAttributes(act.decision)) })
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([name, value]) => [name, String(value).slice(0, longestText)]);
    return CycleSpan.fromPartial({
      ...ids,
      name: act.name ?? act.step,
      service: this.service,
      eventTime: new Date(act.eventTime),
      started: new Date(act.started ?? now),
      ended: new Date(act.ended ?? now),
      links: [...new Set((act.links ?? []).filter((link) => link !== undefined))],
      attributes: Object.fromEntries(attributes),
      error: act.error?.slice(0, longestText) ?? '',
    });
  }

  private sendOne({ parentSpanId, started, ended, eventTime, attributes, ...row }: CycleSpan): void {
    this.telemetry.past({
      ...row,
      ...(parentSpanId && { parentSpanId }),
      started: started!.getTime(),
      ended: ended!.getTime(),
      attributes: { ...attributes, 'driftloop.event_time': eventTime!.toISOString() },
    });
  }
}
