/**
 * One group's reading of one lane: event by event, in offset order.
 *
 * I1  One event at a time, whoever of the group's members takes it; the place moves after the handler resolved.
 * I2  A retriable error pauses the lane and the same event is tried again after a delay that doubles, without end.
 *     Anything else buries the event and goes on. A store that fails is a dependency away.
 * I3  A handler runs in the asynchronous context of the bus, not of whoever happened to publish: no trace leaks.
 * I4  At work (I1 of stillness) from `wake` until nothing is left or nobody is there to hear it.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { isRetriable } from '@driftloop/contracts';
import { failureOf } from '../failure.js';
import type { Report } from '../incident.js';
import { type DeadLetters, Replay } from './dead-letters.js';
import type { Lane, Log, LoggedEvent } from './log.js';
import type { Offsets, Place } from './offsets.js';
import type { Stillness } from './stillness.js';

/** Events between two turns of the event loop, so that a long backlog does not starve I/O. */
const eventsPerTurn = 32;

/** What readers need, shared by all of them. */
export interface Ground {
  readonly log: Log;
  readonly offsets: Offsets;
  readonly letters: DeadLetters;
  readonly stillness: Stillness;
  readonly retryDelayMs: number;
  readonly longestRetryDelayMs: number;
  readonly report: Report;
  /** Runs work in the asynchronous context of whoever opened the bus. */
  readonly outside: (work: () => void) => void;
}

/** Hands an event to a member of the group; resolves with what it threw, if anything. */
export type Hear = (lane: Lane, event: LoggedEvent, attempt: number) => Promise<{ thrown: unknown } | undefined>;

export class Reader {
  /** Why the lane is paused, while it is. */
  paused: string | undefined;
  #attempt = 1;
  #retryInMs = 0;
  #working = false;
  #stopped = false;
  #ahead: LoggedEvent[] = [];
  #replays: Replay[];
  #step: Promise<void> | undefined;
  #cutShort: (() => void) | undefined;

  constructor(
    readonly place: Place,
    readonly hear: Hear,
    readonly ground: Ground,
  ) {
    const { lane, group } = place;
    this.#replays = ground.letters.given(group, lane.topic, lane.partition);
    lane.readers.add(this);
    this.wake();
  }

  get position(): number {
    return this.place.next;
  }

  get lag(): number {
    return this.place.lane.next - this.place.next + this.#replays.length;
  }

  /** Something may be there to hear. */
  wake(): void {
    if (this.#working || this.#stopped || this.lag === 0) return;
    this.#working = true;
    this.ground.stillness.begin();
    this.ground.outside(() => void this.#run());
  }

  /** Letters were given back. */
  reloadReplays(): void {
    const { group, lane } = this.place;
    const first = this.#replays.slice(0, this.#working ? 1 : 0);
    const given = this.ground.letters.given(group, lane.topic, lane.partition);
    this.#replays = [...first, ...given.filter((replay) => replay.offset !== first[0]?.offset)];
    this.wake();
  }

  /** Takes no further event; resolves when no handler runs. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.place.lane.readers.delete(this);
    this.place.lane.trim();
    this.#cutShort?.();
    await this.atRest();
  }

  /** There is somebody to hear again. */
  resume(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.place.lane.readers.add(this);
    this.wake();
  }

  /** Resolves when the handler that runs now, if any, has ended and its place is moved. */
  async atRest(): Promise<void> {
    await this.#step;
  }

  async #run(): Promise<void> {
    await turn();
    for (let heard = 1; !this.#stopped && this.lag > 0; heard++) {
      this.#step = this.#hearNext();
      await this.#step;
      if (this.paused !== undefined && !this.#stopped) await this.#wait();
      if (heard % eventsPerTurn === 0) await turn();
    }
    if (this.#stopped) this.paused = undefined;
    this.#working = false;
    this.#ahead = [];
    this.place.lane.trim();
    this.ground.stillness.end();
  }

  async #hearNext(): Promise<void> {
    let event: LoggedEvent | undefined;
    try {
      event = this.#replays[0] ?? this.#next();
      if (!event) return this.ground.offsets.move(this.place, this.place.lane.next);
      const failed = await this.hear(this.place.lane, event, this.#attempt);
      if (this.ground.log.store.taken) await this.ground.log.store.turn();
      if (!failed) this.#handled(event);
      else if (isRetriable(failed.thrown)) this.#pause(failed.thrown, event);
      else this.#bury(event, failed.thrown);
    } catch (error) {
      this.#pause(error, event);
    }
  }

  #next(): LoggedEvent | undefined {
    const { lane, next } = this.place;
    const inTail = lane.inTail(next);
    if (inTail) return inTail;
    while (this.#ahead.length > 0 && this.#ahead[0].offset < next) this.#ahead.shift();
    if (this.#ahead.length === 0) this.#ahead = this.ground.log.read(lane, next);
    return this.#ahead[0];
  }

  #handled(event: LoggedEvent): void {
    if (event instanceof Replay) this.ground.letters.done(event);
    this.#goOn(event);
  }

  #bury(event: LoggedEvent, thrown: unknown): void {
    const { group, lane } = this.place;
    const failure = failureOf(thrown);
    this.ground.log.store.transaction(() => {
      this.ground.letters.bury(group, event, this.#attempt, failure);
      if (!(event instanceof Replay)) this.ground.offsets.put(this.place, event.offset + 1);
    });
    this.#goOn(event);
    const { topic, partition } = lane;
    const reason = `${failure.code ?? failure.name}: ${failure.message}`;
    this.ground.report({ kind: 'dead', group, topic, partition, id: event.event.id, reason });
  }

  #goOn(event: LoggedEvent): void {
    const { group, lane } = this.place;
    if (event instanceof Replay) this.#replays.shift();
    else this.ground.offsets.move(this.place, event.offset + 1);
    lane.trim();
    if (this.paused !== undefined) {
      const { topic, partition } = lane;
      const attempts = this.#attempt;
      this.ground.report({ kind: 'resumed', group, topic, partition, id: event.event.id, attempts });
    }
    this.paused = undefined;
    this.#attempt = 1;
  }

  #pause(thrown: unknown, event: LoggedEvent | undefined): void {
    const { group, lane } = this.place;
    const failure = failureOf(thrown);
    this.paused = `${failure.code ?? failure.name}: ${failure.message}`;
    const { topic, partition } = lane;
    const reason = this.paused;
    const { retryDelayMs, longestRetryDelayMs } = this.ground;
    const retryInMs = Math.min(longestRetryDelayMs, retryDelayMs * 2 ** Math.min(30, this.#attempt - 1));
    this.#retryInMs = retryInMs;
    this.ground.report({ kind: 'paused', group, topic, partition, id: event?.event.id ?? '', reason, retryInMs });
    this.#attempt++;
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#retryInMs);
      this.#cutShort = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
