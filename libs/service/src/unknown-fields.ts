/**
 * Fields of outsiders' events that nobody reads: counted, and named in the log.
 *
 * I1  Of events in a row that have some the log has the first, the second, the fourth, the eighth …: a sender that misspells a name
 *     is no flood.
 */
import type { HeardEvent } from '@driftloop/bus';
import type { AnyEvent } from '@driftloop/contracts';
import { isWorthALine, type Log } from './log.js';
import { names } from './telemetry/conventions.js';
import type { Metrics } from './telemetry/metrics.js';

export class UnknownFields {
  /** Events that had some, by topic. */
  readonly #seen = new Map<string, number>();

  constructor(
    private readonly log: Pick<Log, 'warn'>,
    metrics: Metrics,
  ) {
    metrics.observe('driftloop.event.unknown_fields', () =>
      [...this.#seen].map(([topic, value]) => ({ value, labels: { [names.destination]: topic } })),
    );
  }

  /** Counts from 0 on: that it can be told must be seen before it is needed. */
  follow({ topic, unknownFields }: AnyEvent): void {
    if (unknownFields) this.#seen.set(topic, this.#seen.get(topic) ?? 0);
  }

  look({ topic, unknownFields }: AnyEvent, { id, data }: HeardEvent): void {
    const fields = unknownFields?.(data) ?? [];
    if (!fields.length) return;
    const events = (this.#seen.get(topic) ?? 0) + 1;
    this.#seen.set(topic, events);
    if (isWorthALine(events))
      this.log.warn(
        { topic, event: id, fields, events },
        'an event has fields that its message does not have: nobody reads them',
      );
  }
}
