/**
 * Where a group's dead letters lie in its topic: the oldest of them. However many there are, little of them is held.
 *
 * I1  A letter is the last record of its key, and as old as that record.
 * I2  Held are digests of the key and of the id and an offset, of `most` letters; values pass by. `rest` is the first letter that found no
 *     room: every older one is held, and none from there on.
 * I3  It reads on from where it stood, and once more from `rest` when more are asked for than it holds.
 * I4  Brokers drop the mark of a removal after a day: an index that has not read for `freshMs` begins anew.
 */
import { createHash } from 'node:crypto';
import type { KafkaMessage } from 'kafkajs';
import { idOfLetter, isReplay } from './letter-keys.js';

/** About 250 bytes each. */
const mostHeld = 100_000;
const freshMs = 3_600_000;

/** A topic of one partition, as an index reads it. */
export interface LetterTopic {
  bounds(): Promise<{ readonly start: number; readonly end: number }>;
  /** Records from an offset on, one at least; asked only where there is one. */
  read(offset: number): Promise<readonly KafkaMessage[]>;
}

export interface LetterIndexOptions {
  readonly most?: number;
  /** A clock in ms that cannot jump. */
  readonly now?: () => number;
}

/** A letter's offset, and a digest of its event's id. */
interface Held {
  readonly offset: number;
  readonly id: string;
}

export class LetterIndex {
  /** By a digest of the key. */
  private held = new Map<string, Held>();
  private at = -1;
  private rest: number | undefined;
  private readAt = 0;
  private last: Promise<unknown> = Promise.resolve();
  private readonly most: number;
  private readonly now: () => number;

  constructor(
    private readonly topic: LetterTopic,
    { most = mostHeld, now = () => performance.now() }: LetterIndexOptions = {},
  ) {
    this.most = most;
    this.now = now;
  }

  /** Offsets of the oldest letters, so many at most and never more than it holds. */
  oldest(count: number): Promise<number[]> {
    return this.inTurn(async () => {
      await this.readOn();
      while (this.rest !== undefined && this.held.size < Math.min(count, this.most)) {
        this.at = this.rest;
        this.rest = undefined;
        await this.readOn();
      }
      return [...this.held.values()].slice(0, count).map(({ offset }) => offset);
    });
  }

  /** Offsets of the letters with each of these ids, which rise; an id that is no letter's is missing. */
  find(ids: readonly string[]): Promise<ReadonlyMap<string, readonly number[]>> {
    return this.inTurn(async () => {
      const end = await this.readOn();
      const sought = new Map(ids.map((id) => [digestOf(id), id]));
      const found = new Map([...this.held].filter(([, { id }]) => sought.has(id)));
      if (this.rest !== undefined)
        for await (const messages of this.records(this.rest, end))
          for (const { key, value, offset } of messages) {
            const digest = digestOf(key!);
            const id = digestOf(idOfLetter(key!.toString()));
            if (value === null) found.delete(digest);
            else if (sought.has(id) && !isReplay(key!.toString())) found.set(digest, { offset: Number(offset), id });
          }
      return offsetsById(found.values(), sought);
    });
  }

  /** The records at these offsets, which rise, a fetch at a time; what has been replaced or removed since may be missing. */
  async *read(offsets: readonly number[]): AsyncGenerator<KafkaMessage[]> {
    const wanted = new Set(offsets);
    for (let i = 0; i < offsets.length; ) {
      const messages = await this.topic.read(offsets[i]);
      const last = Number(messages.at(-1)!.offset);
      yield messages.filter(({ offset }) => wanted.has(Number(offset)));
      while (offsets[i] <= last) i++;
    }
  }

  /** Reads to the end of the topic; returns that. */
  private async readOn(): Promise<number> {
    const { start, end } = await this.topic.bounds();
    const isStale = this.now() - this.readAt > freshMs;
    if (isStale || this.at < 0 || this.at > end) this.beginAt(start);
    for await (const messages of this.records(this.at, end)) for (const message of messages) this.take(message);
    this.readAt = this.now();
    return end;
  }

  private beginAt(start: number): void {
    this.held = new Map();
    this.rest = undefined;
    this.at = start;
  }

  private take({ key, value, offset }: KafkaMessage): void {
    this.at = Number(offset) + 1;
    if (!key || isReplay(key.toString())) return;
    const digest = digestOf(key);
    this.held.delete(digest);
    if (value === null) return;
    const held = { offset: Number(offset), id: digestOf(idOfLetter(key.toString())) };
    if (this.rest === undefined && this.held.size < this.most) this.held.set(digest, held);
    else this.rest ??= Number(offset);
  }

  private async *records(from: number, end: number): AsyncGenerator<readonly KafkaMessage[]> {
    for (let at = from; at < end; ) {
      const messages = await this.topic.read(at);
      yield messages;
      at = Number(messages.at(-1)!.offset) + 1;
    }
  }

  private inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const asked = this.last.then(ask, ask);
    this.last = asked.catch(() => undefined);
    return asked;
  }
}

function offsetsById(found: Iterable<Held>, ids: ReadonlyMap<string, string>): Map<string, number[]> {
  const offsets = new Map<string, number[]>();
  for (const { offset, id } of [...found].sort((a, b) => a.offset - b.offset)) {
    const name = ids.get(id)!;
    offsets.set(name, [...(offsets.get(name) ?? []), offset]);
  }
  return offsets;
}

/** Ids are the senders', and may be long. */
const digestOf = (key: Buffer | string): string => createHash('sha256').update(key).digest('base64');
