/**
 * One partition as one member of a group hears it: event by event, in offset order.
 *
 * I1  One event at a time; `next` moves after its handler resolved. What was fetched and not handled is forgotten at a
 *     rest, since another member may have it then: it is fetched again from the committed place, and what this member has
 *     handled already is left out.
 * I2  A retriable error pauses the lane, and the same event is tried again after a delay that doubles, without end.
 *     Anything else buries the event and goes on.
 * I3  A member that was taken for dead and comes back goes on where the group is by then, and never commits a place that
 *     is behind it.
 * I4  A lane with `enough` events waiting asks its member to fetch no more, and to go on when half of them are left.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { isRetriable } from '@driftloop/contracts';
import type { KafkaMessage } from 'kafkajs';
import type { HeardEvent } from '../bus.js';
import { failureOf } from '../failure.js';
import type { Report } from '../incident.js';
import type { DeadLetters, Replay } from './dead-letters.js';
import { receivedOf } from './records.js';

const enough = 1000;
/** Events between two turns of the event loop, so that a long backlog does not starve I/O. */
const eventsPerTurn = 32;

/** What all lanes of a member share. */
export interface LaneGround {
  readonly group: string;
  readonly letters: DeadLetters;
  readonly report: Report;
  readonly retryDelayMs: number;
  readonly longestRetryDelayMs: number;
  readonly handle: (event: HeardEvent) => Promise<void>;
  /** Told when `next` has moved. */
  readonly moved: () => void;
  /** Told to fetch no more of a lane, and to go on. */
  readonly hold: (lane: Lane, held: boolean) => void;
}

interface Task {
  readonly event: Omit<HeardEvent, 'attempt'>;
  readonly fault?: unknown;
  readonly replay?: Replay;
}

export class Lane {
  /** The next offset to be handled; undefined until something is known of it. */
  next: number | undefined;
  /** Where the group is; undefined from each join until that has been asked: until then nothing may be committed (I3). */
  committed: number | undefined;
  /** Why the lane is paused, while it is. */
  paused: string | undefined;
  private queue: KafkaMessage[] = [];
  private fetched = 0;
  private attempt = 1;
  private retryInMs = 0;
  private held = false;
  private resting = false;
  private running: Promise<void> | undefined;
  private cutShort: (() => void) | undefined;

  /** `replays`: whether this is the group's topic of dead letters. */
  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly replays: boolean,
    private readonly ground: LaneGround,
  ) {}

  /**
   * Where the group had come when this member was given the partition, also once more: while it was taken for dead another
   * member may have had the partition, and handled what this one had not.
   */
  begin(committed: number): void {
    this.next = Math.max(this.next ?? 0, committed);
    this.committed = committed;
    this.fetched = Math.max(this.fetched, this.next);
    if (this.next > committed) this.ground.moved();
  }

  /** Takes what was fetched; `end` is the offset after it, also where nothing of it is an event. */
  offer(messages: readonly KafkaMessage[], end: number): void {
    if (this.resting) return;
    if (messages.length > 0) this.next ??= Number(messages[0].offset);
    this.queue.push(...messages.filter(({ offset }) => Number(offset) >= this.fetched));
    this.fetched = Math.max(this.fetched, end);
    this.holdOrGoOn();
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      if (this.queue.length > 0 && !this.resting) this.offer([], this.fetched);
    });
  }

  /** Takes no further event, forgets those that wait, and resolves when the handler that runs, if any, has ended. */
  async rest(): Promise<void> {
    this.resting = true;
    this.queue = [];
    this.cutShort?.();
    await this.running;
  }

  /** The member has joined anew and still has the partition: it is fetched from its committed place again. */
  resume(): void {
    this.committed = undefined;
    this.fetched = this.next ?? 0;
    this.resting = false;
    this.holdOrGoOn();
  }

  private async run(): Promise<void> {
    for (let heard = 1; this.queue.length > 0 && !this.resting; heard++) {
      await this.hearFirst();
      if (this.paused !== undefined && !this.resting) await this.wait();
      if (heard % eventsPerTurn === 0) await turn();
    }
    if (this.resting) this.paused = undefined;
    else this.moveTo(this.fetched);
  }

  private async hearFirst(): Promise<void> {
    const [message] = this.queue;
    const task = Number(message.offset) < this.next! ? undefined : this.taskOf(message);
    try {
      if (task) await this.handle(task);
      this.goOn(message, task);
    } catch (error) {
      this.pause(error, task);
    }
  }

  private taskOf(message: KafkaMessage): Task | undefined {
    if (!this.replays) return receivedOf(this.topic, this.partition, message);
    const replay = this.ground.letters.replayOf(message);
    return replay && { event: replay.event, replay };
  }

  /** Throws what is to be tried again. */
  private async handle({ event, fault, replay }: Task): Promise<void> {
    const { handle, letters } = this.ground;
    try {
      if (fault) throw fault;
      await handle({ ...event, attempt: this.attempt });
    } catch (thrown) {
      if (isRetriable(thrown)) throw thrown;
      return this.bury({ event, replay }, thrown);
    }
    if (replay) await letters.done(replay);
  }

  private async bury({ event, replay }: Task, thrown: unknown): Promise<void> {
    const { group, letters, report } = this.ground;
    const error = failureOf(thrown);
    const { partition, offset } = replay?.letter ?? event;
    await letters.bury({ ...event, partition, offset, attempt: this.attempt, group, error }, replay);
    const reason = `${error.code ?? error.name}: ${error.message}`;
    report({ kind: 'dead', group, topic: event.topic, partition, id: event.id, reason });
  }

  private goOn(message: KafkaMessage, task: Task | undefined): void {
    const { group, report } = this.ground;
    if (this.queue[0] === message) this.queue.shift();
    if (this.paused !== undefined && task) {
      const { topic, partition, attempt: attempts } = this;
      report({ kind: 'resumed', group, topic, partition, id: task.event.id, attempts });
    }
    this.paused = undefined;
    this.attempt = 1;
    this.moveTo(Number(message.offset) + 1);
    this.holdOrGoOn();
  }

  private moveTo(next: number): void {
    if (this.next !== undefined && next <= this.next) return;
    this.next = next;
    this.ground.moved();
  }

  private pause(thrown: unknown, task: Task | undefined): void {
    const { group, report, retryDelayMs, longestRetryDelayMs } = this.ground;
    const failure = failureOf(thrown);
    this.paused = `${failure.code ?? failure.name}: ${failure.message}`;
    const retryInMs = Math.min(longestRetryDelayMs, retryDelayMs * 2 ** Math.min(30, this.attempt - 1));
    const { topic, partition, paused: reason } = this;
    report({ kind: 'paused', group, topic, partition, id: task?.event.id ?? '', reason, retryInMs });
    this.attempt++;
    this.retryInMs = retryInMs;
  }

  private wait(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.retryInMs);
      this.cutShort = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** I4 */
  private holdOrGoOn(): void {
    const held = this.held ? this.queue.length > enough / 2 : this.queue.length >= enough;
    if (held === this.held) return;
    this.held = held;
    this.ground.hold(this, held);
  }
}
