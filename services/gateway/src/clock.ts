/**
 * Event time in a replay: one speaker of time.passed, which waits until all before it has been heard by everyone.
 *
 * I1  A tick is published only when the bus has settled, and the call returns only when the tick has been heard.
 * I2  Time never goes back; the same instant again is the same tick (a replay that resumes repeats its last one).
 */
import { createHash } from 'node:crypto';
import { Bus } from '@driftloop/bus';
import { events, services, TimePassed } from '@driftloop/contracts';
import { Settings } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';

/** Events read at once in search of the newest tick. */
const lookBack = 20;

@Injectable()
export class Clock {
  private turn: Promise<unknown> = Promise.resolve();

  /** In a cluster a service that is away is waited for: its part in what follows from an event is not done without it. */
  private readonly attended: readonly string[];

  constructor(
    private readonly bus: Bus,
    settings: Settings,
  ) {
    this.attended = settings.mode === 'cluster' ? services.map((service) => `${service}.`) : [];
  }

  /** Passes time to `now`. Throws CLOCK_WENT_BACK. */
  pass(now: Date): Promise<void> {
    const next = this.turn.then(() => this.passNext(now));
    this.turn = next.catch(() => undefined);
    return next;
  }

  /** Resolves when everything published so far, and what follows from it, has been heard. */
  settled(): Promise<void> {
    return this.bus.settled(this.attended);
  }

  private async passNext(now: Date): Promise<void> {
    const last = await this.last();
    if (last?.now && now < last.now)
      throw errors.CLOCK_WENT_BACK({ now: now.toISOString(), last: last.now.toISOString() });
    await this.bus.settled(this.attended);
    const previous = last?.now?.getTime() === now.getTime() ? last.previous : last?.now;
    const { topic, key, payload } = events.timePassed;
    const tick = TimePassed.fromPartial({ now, replay: true, previous });
    const id = createHash('sha256').update(`${topic}/${now.toISOString()}`).digest('hex').slice(0, 32);
    const data = payload.toJSON(tick);
    await this.bus.publish([{ id, topic, key: key(tick), time: now.getTime(), source: 'clock', data }]);
    await this.bus.settled(this.attended);
  }

  /** The newest tick; what is no tick, since anybody can write to a log, is passed over. */
  private async last(): Promise<TimePassed | undefined> {
    const [end] = await this.bus.ends(events.timePassed.topic);
    if (!end) return undefined;
    for (let from = end; from > 0; ) {
      from = Math.max(0, from - lookBack);
      const heard = await this.bus.read(events.timePassed.topic, 0, from, lookBack);
      const ticks = heard.map(({ data }) => tickOf(data)).filter((tick) => tick?.now);
      if (ticks.length > 0) return ticks.at(-1);
    }
    return undefined;
  }
}

function tickOf(data: unknown): TimePassed | undefined {
  try {
    return TimePassed.fromJSON(data);
  } catch {
    return undefined;
  }
}
