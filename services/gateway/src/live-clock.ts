/**
 * Event time in a live house: ticks at whole intervals of wall time, behind a declared lateness. The only place where
 * wall time becomes event time.
 *
 * I1  One replica of the gateway speaks, by a lease. A tick is kept before it is told, by compare-and-set on the very state
 *     that it was decided from: a speaker of before that wakes late keeps nothing, neither on a later tick nor on a replay
 *     that has taken the clock, and what it tells late is older than what was heard.
 * I2  A tick that was kept and not told is told before the next: no tick is skipped in the log that another names.
 * I3  After standing still one tick catches up, to the newest instant that is due.
 * I4  It never speaks of a wall that is in doubt (clock-doubt.ts), nor while a replay owns the clock, and never goes back: it waits for
 *     the wall to pass the newest tick.
 */
import { Connection, type Leadership, Led, Log, Settings, Unled, WallClock } from '@driftloop/service';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ClockDoubt } from './clock-doubt.js';
import { type ClockState, ClockStates } from './clock-state.js';
import { errors } from './errors.js';

/** Wall ms until a tick that could not be told is tried again, and until the clock looks again at the latest. */
const retryMs = 1000;
const longestMs = 3_600_000;

@Injectable()
export class LiveClock implements OnApplicationBootstrap, OnModuleDestroy {
  /** The lead of the clock, while it has or waits for one. */
  led: Led | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private wake: () => void = () => {};

  constructor(
    private readonly states: ClockStates,
    private readonly settings: Settings,
    private readonly clock: WallClock,
    private readonly connection: Connection,
    private readonly log: Log,
    private readonly doubts: ClockDoubt,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.speaks(await this.states.find())) this.running = this.run();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.led?.stop();
    await this.running;
  }

  /** Why no decision is made; '' where the live clock does not speak here, or nothing holds it. */
  async doubt(): Promise<string> {
    const state = await this.states.find();
    return this.speaks(state) ? this.doubts.of(state) : '';
  }

  /**
   * Goes on from the machine's clock as it is, because a person says so; again is the same as once. Throws CLOCK_IN_DOUBT
   * where time would have to go back.
   */
  async accept(by: string, note: string): Promise<void> {
    const state = await this.states.find();
    if (!this.speaks(state) || !this.doubts.of(state)) return;
    await this.states.accept(state, this.clock.wall(), by, note);
    this.clock.accept();
    const doubt = this.doubts.check(await this.states.find());
    if (doubt) throw errors.CLOCK_IN_DOUBT({ doubt });
    this.log.warn({ by, note, wall: new Date(this.clock.wall()) }, "the machine's clock is accepted as it is");
    this.wake();
  }

  /** Where nobody has chosen: a house that runs on the live clock goes on, a new one of a cluster begins. */
  private speaks({ mode }: ClockState): boolean {
    const chosen = this.settings.clock.mode;
    if (chosen) return chosen === 'live';
    return mode ? mode === 'live' : this.settings.mode === 'cluster';
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const leadership = await this.lead();
      while (!this.stopped && leadership) {
        const next = await this.attempt(leadership);
        if (next === 'lost') break;
        if (next === 'not mine') return;
        await this.sleep(Math.min(next, longestMs));
      }
    }
  }

  private async lead(): Promise<Leadership | undefined> {
    if (this.settings.mode === 'embedded') return new Unled();
    const { connection, clock, log } = this;
    const { replica, leaseMs } = this.settings;
    this.led = new Led({ connection, clock, log, name: 'clock', replica, leaseMs });
    this.led.onLost = () => this.wake();
    return (await this.led.lead()) ? this.led : undefined;
  }

  /** Ms until the next look. */
  private async attempt(leadership: Leadership): Promise<number | 'lost' | 'not mine'> {
    try {
      leadership.check();
    } catch {
      return 'lost';
    }
    try {
      return await this.tick(leadership);
    } catch (error) {
      this.log.warn({ err: error }, 'the clock could not speak; it tries again');
      return retryMs;
    }
  }

  private async tick(leadership: Leadership): Promise<number | 'not mine'> {
    const { intervalMs, latenessMs } = this.settings.clock;
    const state = await this.look(leadership);
    if (!this.speaks(state)) {
      this.log.warn({}, 'a replay owns the clock: the live one is silent');
      return 'not mine';
    }
    if (this.doubts.check(state)) return retryMs;
    const behind = this.clock.now() - latenessMs;
    const due = Math.floor(behind / intervalMs) * intervalMs;
    const wait = due + intervalMs - behind;
    if (state.now !== undefined && due <= state.now) return Math.max(wait, state.now + intervalMs - behind); // I4
    leadership.check();
    if (!(await this.states.keep(state, 'live', due, state.now, false))) return retryMs; // I1
    await this.tell(await this.states.find(), due, state.now, leadership);
    return wait;
  }

  /** How far time has come, once what was kept is told (I2). */
  private async look(leadership: Leadership): Promise<ClockState> {
    const state = await this.states.find();
    if (state.told || state.mode !== 'live' || !this.speaks(state)) return state;
    await this.tell(state, state.now!, state.previous, leadership);
    return this.states.find();
  }

  private async tell(state: ClockState, now: number, previous: number | undefined, leadership: Leadership) {
    leadership.check();
    await this.states.tell(now, previous, false);
    const { document } = state;
    if (document?.now === now) await this.states.keep(state, 'live', now, previous);
  }

  private sleep(ms: number): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.clock.after(ms, resolve);
      this.wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
