/**
 * Event time in a replay: one speaker of time.passed, which waits until all before it has been heard by everyone.
 *
 * I1  A tick is published only when the bus has settled, and the call returns only when the tick has been heard.
 * I2  Time never goes back; the same instant again is the same tick (a replay that resumes repeats its last one).
 * I3  A replay takes a house that nobody speaks in yet; one that runs on the live clock it does not, unless the operator
 *     has said `DRIFTLOOP_CLOCK=replay`.
 * I4  A gateway that stops waits for no other service: the call ends with GATEWAY_STOPS, and may be made again (I2).
 */
import { Bus } from '@driftloop/bus';
import { services } from '@driftloop/contracts';
import { Readiness, Settings } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { ClockStates } from './clock-state.js';
import { errors } from './errors.js';

@Injectable()
export class Clock {
  private turn: Promise<unknown> = Promise.resolve();

  /** In a cluster a service that is away is waited for: its part in what follows from an event is not done without it. */
  private readonly attended: readonly string[];

  constructor(
    private readonly bus: Bus,
    private readonly settings: Settings,
    private readonly states: ClockStates,
    private readonly readiness: Readiness,
  ) {
    this.attended = settings.mode === 'cluster' ? services.map((service) => `${service}.`) : [];
  }

  /** Passes time to `now`. Throws CLOCK_WENT_BACK, CLOCK_IS_LIVE; retriable: CLOCK_RACED, GATEWAY_STOPS. */
  pass(now: Date): Promise<void> {
    const next = this.turn.then(() => this.passNext(now));
    this.turn = next.catch(() => undefined);
    return next;
  }

  /** Resolves when everything published so far, and what follows from it, has been heard. Throws, retriable: GATEWAY_STOPS. */
  async settled(): Promise<void> {
    const { goodbye } = this.readiness;
    const { promise: stops, reject } = Promise.withResolvers<never>();
    const stop = () => reject(errors.GATEWAY_STOPS({}));
    goodbye.addEventListener('abort', stop);
    if (goodbye.aborted) stop();
    await Promise.race([this.bus.settled(this.attended), stops]).finally(() =>
      goodbye.removeEventListener('abort', stop),
    );
  }

  private async passNext(at: Date): Promise<void> {
    const now = at.getTime();
    const last = await this.mine();
    if (last.now !== undefined && now < last.now)
      throw errors.CLOCK_WENT_BACK({ now: at.toISOString(), last: new Date(last.now).toISOString() });
    await this.settled();
    const previous = last.now === now ? last.previous : last.now;
    await this.states.tell(now, previous, true);
    await this.settled();
    // What the log may forget is kept when the tick is over: a replay goes on from the log's newest.
    if (last.document?.now !== now && !(await this.states.keep(last, 'replay', now, previous)))
      throw errors.CLOCK_RACED({});
  }

  /** I3 */
  private async mine() {
    const chosen = this.settings.clock.mode;
    const state = await this.states.find();
    if (chosen === 'live' || (state.mode === 'live' && !chosen)) throw errors.CLOCK_IS_LIVE({});
    if (state.document?.mode === 'replay') return state;
    const { now, previous } = state;
    if (!state.told) await this.states.tell(now!, previous, false);
    if (!(await this.states.keep(state, 'replay', now, previous))) throw errors.CLOCK_RACED({});
    return this.states.find();
  }
}
