/**
 * Dead letters of each group in a compacted topic of its own, `<group>.dead`, beside those that were given back.
 *
 * I1  A letter is the last record of its key, the place of its event (letter-keys.ts). Burying again replaces it.
 * I2  Giving back writes the replay and removes the letter in one batch of one partition: both or none.
 * I3  The group hears this topic too and takes the replays: a replay's offset here is its offset on the lane −1−p, and
 *     rises with each replay. What was taken is removed.
 * I4  A topic may hold more than a process: it is read a fetch at a time, and of the letters only those asked for are kept.
 */
import { setTimeout as pass } from 'node:timers/promises';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import { type DeadLetter, type HeardEvent, mostLetters } from '../bus.js';
import { errors } from '../errors.js';
import { LetterIndex, type LetterTopic } from './letter-index.js';
import { idOfLetter, isReplay, keyOfLetter, keyOfReplay } from './letter-keys.js';
import type { Placed, Publisher } from './publisher.js';
import type { Topics } from './topics.js';
import type { Offsets, Wire } from './wire.js';

/** The name of a group's topic. */
export const topicOfLetters = (group: string) => `${group}.dead`;
/** A letter holds an event of 1 MiB as a string in JSON, which may escape each of its characters. */
const largestLetter = 16 * 1024 * 1024;
const fetchBytes = 8 * 1024 * 1024;
/** Letters that are given back side by side: the publisher's queue is everybody's. */
const atOnce = 500;

/** A record to be written: its key, and its JSON or null. */
type Entry = readonly [key: string, value: Buffer | string | null];

/** What a record of the topic holds. */
type Stored = Omit<DeadLetter, 'attempt'> & { readonly attempt: number };

/** An event that was given back, and where it died. */
export interface Replay {
  /** Of its record. */
  readonly key: string;
  readonly event: Omit<HeardEvent, 'attempt'>;
  readonly letter: Stored;
}

export class DeadLetters {
  private readonly indexes = new Map<string, LetterIndex>();

  constructor(
    private readonly wire: Wire,
    private readonly topics: Topics,
    private readonly publisher: Publisher,
  ) {}

  /** Makes a group's topic; returns its name. */
  async declare(group: string): Promise<string> {
    const topic = topicOfLetters(group);
    if (!this.topics.names.includes(topic))
      await this.topics.declare(topic, { partitions: 1, keep: 'compact' }, largestLetter);
    return topic;
  }

  /** Keeps an event that its group cannot handle. */
  async bury(letter: Stored, replay?: Replay): Promise<void> {
    const buried: Entry = [keyOfLetter(letter), JSON.stringify(letter)];
    await this.write(letter.group, replay ? [buried, [replay.key, null]] : [buried]);
  }

  /** A group's dead letters, oldest first. */
  async list(group: string, limit: number): Promise<DeadLetter[]> {
    const index = await this.index(group);
    const letters: DeadLetter[] = [];
    if (!index) return letters;
    for await (const messages of index.read(await index.oldest(Math.min(limit, mostLetters))))
      letters.push(...messages.map(storedIn));
    return letters;
  }

  /** How many there are, counted up to `limit`. */
  async count(group: string, limit: number): Promise<number> {
    const index = await this.index(group);
    return index ? (await index.oldest(Math.min(limit, mostLetters))).length : 0;
  }

  /** Gives back the letters named, or the oldest; returns their ids. Throws BUS_DEAD_LETTER_UNKNOWN: then none is. */
  giveBack(group: string, ids?: readonly string[]): Promise<string[]> {
    return this.each(group, ids, (key, value) => [
      [keyOfReplay(key), value],
      [key, null],
    ]);
  }

  /** Removes the letters named, or the oldest; returns their ids. Throws BUS_DEAD_LETTER_UNKNOWN: then none is removed. */
  discard(group: string, ids?: readonly string[]): Promise<string[]> {
    return this.each(group, ids, (key) => [[key, null]]);
  }

  /** A letter given back has been handled. */
  async done({ key, letter: { group } }: Replay): Promise<void> {
    await this.write(group, [[key, null]]);
  }

  /** The replay in a record of a group's topic; undefined where the record is a letter or a removal. */
  replayOf(message: KafkaMessage): Replay | undefined {
    const key = message.key?.toString();
    if (!key || !isReplay(key) || !message.value) return undefined;
    const letter = storedIn(message);
    const { group: _, error: __, attempt: ___, ...event } = letter;
    return { key, event: { ...event, partition: -1 - letter.partition, offset: Number(message.offset) }, letter };
  }

  /** Writes what becomes of each letter, a fetch of them after the other (I4). A failure may leave the rest as they are. */
  private async each(
    group: string,
    ids: readonly string[] | undefined,
    become: (key: string, letter: Buffer) => readonly Entry[],
  ): Promise<string[]> {
    const index = await this.index(group);
    if (!index && ids?.length) throw errors.BUS_DEAD_LETTER_UNKNOWN({ group, id: ids[0] });
    const done: string[] = [];
    if (!index) return done;
    const offsets = ids ? await offsetsOf(index, group, ids) : await index.oldest(mostLetters);
    for await (const messages of index.read(offsets)) {
      for (let i = 0; i < messages.length; i += atOnce) {
        const some = messages.slice(i, i + atOnce).map(({ key, value }) => ({ key: `${key}`, value }));
        await Promise.all(some.map(({ key, value }) => this.write(group, become(key, value!))));
        done.push(...some.map(({ key }) => idOfLetter(key)));
      }
    }
    return done;
  }

  /** Undefined where the group has no topic: nothing of it has ever been heard. */
  private async index(group: string): Promise<LetterIndex | undefined> {
    const known = this.indexes.get(group);
    if (known) return known;
    const exists = await this.topics.partitions(topicOfLetters(group)).catch((error: { code?: string }) => {
      if (error.code === 'BUS_TOPIC_UNKNOWN') return 0;
      throw error;
    });
    if (!exists) return undefined;
    const index = this.indexes.get(group) ?? new LetterIndex(this.topicOf(group));
    this.indexes.set(group, index);
    return index;
  }

  private topicOf(group: string): LetterTopic {
    const physical = this.topics.physical(topicOfLetters(group));
    const only = (offsets: Offsets) => offsets.get(physical)![0];
    return {
      bounds: async () => ({
        end: only(await this.wire.ends([physical])),
        start: only(await this.wire.starts([physical])),
      }),
      read: async (offset) => {
        for (;;) {
          const messages = await this.wire.fetch(physical, 0, offset, fetchBytes);
          if (messages.length > 0) return messages;
          await pass(5);
        }
      },
    };
  }

  /** Null removes a key. */
  private async write(group: string, entries: readonly Entry[]): Promise<void> {
    const topic = this.topics.physical(topicOfLetters(group));
    const headers: IHeaders = { 'content-type': 'application/json' };
    const records = entries.map(
      ([key, value]): Placed => ({ topic, message: { key, value, headers }, bytes: (value?.length ?? 0) + 100 }),
    );
    await this.publisher.publish(records);
  }
}

const storedIn = ({ value }: KafkaMessage): Stored => JSON.parse(value!.toString()) as Stored;

/** Throws BUS_DEAD_LETTER_UNKNOWN. */
async function offsetsOf(index: LetterIndex, group: string, ids: readonly string[]): Promise<number[]> {
  const found = await index.find(ids);
  const unknown = ids.find((id) => !found.has(id));
  if (unknown !== undefined) throw errors.BUS_DEAD_LETTER_UNKNOWN({ group, id: unknown });
  return [...found.values()].flat().sort((a, b) => a - b);
}
