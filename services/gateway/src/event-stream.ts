/**
 * Events as server-sent events, each a CloudEvent in JSON. A stream reads the log at its own pace, from any position:
 * a slow reader falls behind and holds nobody up, and no group is left behind when it goes.
 */
import { Bus, type HeardEvent } from '@driftloop/bus';
import { structuredCloudEvent } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { EventTail } from './event-tail.js';

/** Next offset of each partition, by topic. */
type Position = Record<string, number[]>;

const batch = 200;

@Injectable()
export class EventStream {
  constructor(
    private readonly bus: Bus,
    private readonly tail: EventTail,
  ) {}

  /** Where a stream begins: "earliest", "latest", or the id of an event already heard. Throws BODY_INVALID. */
  async begin(topics: readonly string[], after: string): Promise<Position> {
    const position: Position = Object.create(null);
    const known = after === 'earliest' || after === 'latest' ? {} : decode(after);
    for (const topic of topics) {
      const ends = await this.bus.ends(topic);
      position[topic] = ends.map((end, p) => offsetIn(known, topic, p) ?? (after === 'earliest' ? 0 : end));
    }
    return position;
  }

  /** The stream's text, event by event, until aborted. */
  async *follow(position: Position, signal: AbortSignal): AsyncGenerator<string> {
    while (!signal.aborted) {
      const seen = await this.tail.ends(Object.keys(position));
      let heard = 0;
      for (const event of await this.next(position)) {
        heard++;
        position[event.topic][event.partition] = event.offset + 1;
        yield `id: ${encode(position)}\nevent: ${event.topic}\ndata: ${JSON.stringify(structuredCloudEvent(event))}\n\n`;
      }
      if (!heard) await this.tail.beyond(seen, signal);
    }
  }

  /** The next events of all partitions, in order within each, merged by event time. */
  private async next(position: Position): Promise<HeardEvent[]> {
    const reads = Object.entries(position).flatMap(([topic, offsets]) =>
      offsets.map((offset, partition) => this.bus.read(topic, partition, offset, batch)),
    );
    const queues = (await Promise.all(reads)).filter((queue) => queue.length);
    const merged: HeardEvent[] = [];
    while (queues.length) {
      const first = queues.reduce((a, b) => (b[0].time < a[0].time ? b : a));
      merged.push(first.shift()!);
      if (!first.length) queues.splice(queues.indexOf(first), 1);
    }
    return merged;
  }
}

const encode = (position: Position) => Buffer.from(JSON.stringify(position)).toString('base64url');

/** The id of an event as this stream gave it. Throws BODY_INVALID. */
function decode(text: string): Position {
  const position = parsed(text);
  const offsets = position && typeof position === 'object' ? Object.values(position) : [undefined];
  const isOffset = (offset: unknown) => Number.isSafeInteger(offset) && (offset as number) >= 0;
  if (offsets.every((of) => Array.isArray(of) && of.every(isOffset))) return position as Position;
  const problem = 'must be "earliest", "latest" or the id of an event of this stream';
  throw errors.BODY_INVALID({ field: 'after', problem });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Of the position's own topics only: a name such as "constructor" is none. */
function offsetIn(position: Position, topic: string, partition: number): number | undefined {
  return Object.hasOwn(position, topic) ? position[topic][partition] : undefined;
}
