/**
 * Dead letters of each group in a compacted topic of its own, `<group>.dead`, beside those that were given back.
 *
 * I1  A letter is the last record of its key, the event's id. Burying again replaces it.
 * I2  Giving back writes the replay and removes the letter in one batch of one partition: both or none.
 * I3  The group hears this topic too and takes the replays: a replay's offset here is its offset on the lane −1−p, and
 *     rises with each replay. What was taken is removed.
 */
import { setTimeout as pass } from 'node:timers/promises';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { DeadLetter, HeardEvent } from '../bus.js';
import { errors } from '../errors.js';
import type { Placed, Publisher } from './publisher.js';
import type { Topics } from './topics.js';
import type { Wire } from './wire.js';

/** The name of a group's topic. */
export const topicOfLetters = (group: string) => `${group}.dead`;
const replayPrefix = 'replay:';
/** A letter holds an event of 1 MiB as a string in JSON, which may escape each of its characters. */
const largestLetter = 16 * 1024 * 1024;
const fetchBytes = 8 * 1024 * 1024;

/** What a record of the topic holds. */
type Stored = Omit<DeadLetter, 'attempt'> & { readonly attempt: number };

/** An event that was given back, and where it died. */
export interface Replay {
  readonly event: Omit<HeardEvent, 'attempt'>;
  readonly letter: Stored;
}

export class DeadLetters {
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
    const { group, id } = letter;
    await this.write(group, [
      [id, letter],
      [replayPrefix + id, replay ? null : undefined],
    ]);
  }

  /** A group's dead letters, oldest first. */
  async list(group: string, limit: number): Promise<DeadLetter[]> {
    return [...(await this.letters(group)).values()].slice(0, limit);
  }

  /** Gives a letter back. Throws BUS_DEAD_LETTER_UNKNOWN. */
  async giveBack(group: string, id: string): Promise<void> {
    const letter = (await this.letters(group)).get(id);
    if (!letter) throw errors.BUS_DEAD_LETTER_UNKNOWN({ group, id });
    await this.write(group, [
      [replayPrefix + id, letter],
      [id, null],
    ]);
  }

  /** A letter given back has been handled. */
  async done({ letter: { group, id } }: Replay): Promise<void> {
    await this.write(group, [[replayPrefix + id, null]]);
  }

  /** The replay in a record of a group's topic; undefined where the record is a letter or a removal. */
  replayOf(message: KafkaMessage): Replay | undefined {
    if (!message.key?.toString().startsWith(replayPrefix) || !message.value) return undefined;
    const letter = JSON.parse(message.value.toString()) as Stored;
    const { group: _, error: __, attempt: ___, ...event } = letter;
    return { event: { ...event, partition: -1 - letter.partition, offset: Number(message.offset) }, letter };
  }

  private async letters(group: string): Promise<Map<string, Stored>> {
    const letters = new Map<string, Stored>();
    const known = await this.topics.partitions(topicOfLetters(group)).catch(() => 0);
    if (!known) return letters;
    const physical = this.topics.physical(topicOfLetters(group));
    const [end] = (await this.wire.ends([physical])).get(physical)!;
    let at = (await this.wire.starts([physical])).get(physical)![0];
    while (at < end) {
      const messages = await this.wire.fetch(physical, 0, at, fetchBytes);
      if (messages.length === 0) await pass(5);
      for (const { key, value, offset } of messages) {
        const id = key!.toString();
        if (value === null) letters.delete(id);
        else if (!id.startsWith(replayPrefix)) letters.set(id, JSON.parse(value.toString()) as Stored);
        at = Number(offset) + 1;
      }
    }
    return letters;
  }

  /** Null removes a key; undefined leaves it alone. */
  private async write(group: string, entries: readonly (readonly [string, Stored | null | undefined])[]) {
    const topic = this.topics.physical(topicOfLetters(group));
    const records = entries
      .filter(([, value]) => value !== undefined)
      .map(([key, stored]): Placed => {
        const value = stored ? JSON.stringify(stored) : null;
        const headers: IHeaders = { 'content-type': 'application/json' };
        return { topic, message: { key, value, headers }, bytes: (value?.length ?? 0) + 100 };
      });
    await this.publisher.publish(records);
  }
}
