/**
 * Event time in a replay: one speaker of time.passed, which waits until all before it has been heard by everyone.
 *
 * I1  A tick is published only when the bus has settled, and the call returns only when the tick has been heard.
 * I2  Time never goes back; the same instant again is the same tick (a replay that resumes repeats its last one).
 */
import { createHash } from 'node:crypto';
import { Bus } from '@driftloop/bus';
import { events, TimePassed } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';

@Injectable()
export class Clock {
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly bus: Bus) {}

  /** Passes time to `now`. Throws CLOCK_WENT_BACK. */
  pass(now: Date): Promise<void> {
    const next = this.turn.then(() => this.passNext(now));
    this.turn = next.catch(() => undefined);
    return next;
  }

  /** Resolves when everything published so far, and what follows from it, has been heard. */
  settled(): Promise<void> {
    return this.bus.settled();
  }

  private async passNext(now: Date): Promise<void> {
    const last = await this.last();
    if (last?.now && now < last.now)
      throw errors.CLOCK_WENT_BACK({ now: now.toISOString(), last: last.now.toISOString() });
    await this.bus.settled();
    const previous = last?.now?.getTime() === now.getTime() ? last.previous : last?.now;
    const { topic, key, payload } = events.timePassed;
    const tick = TimePassed.fromPartial({ now, replay: true, previous });
    const id = createHash('sha256').update(`${topic}/${now.toISOString()}`).digest('hex').slice(0, 32);
    const data = payload.toJSON(tick);
    await this.bus.publish([{ id, topic, key: key(tick), time: now.getTime(), source: 'clock', data }]);
    await this.bus.settled();
  }

  /** The newest tick. */
  private async last(): Promise<TimePassed | undefined> {
    const [end] = await this.bus.ends(events.timePassed.topic);
    if (!end) return undefined;
    const [event] = await this.bus.read(events.timePassed.topic, 0, end - 1, 1);
    return event && TimePassed.fromJSON(event.data);
  }
}
