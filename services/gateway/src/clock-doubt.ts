/**
 * Whether the machine's clock can be believed: held against what has been decided, and against the machine's own monotonic
 * clock.
 *
 * I1  A wall that is further from the newest tick than the greatest gap holds decisions until it is near again, or until a
 *     person has accepted it: a machine that slept for some days goes on, a home that was put away for a year asks. What
 *     a replay has spoken says nothing of the wall.
 * I2  What was accepted is kept with the clock: a replica, and a start, go on from it. It holds for that wall alone, not
 *     for one that jumps again.
 */
import { Log, Readiness, Settings, WallClock } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import type { ClockState } from './clock-state.js';

const where = 'the live clock';

@Injectable()
export class ClockDoubt {
  private said = '';

  constructor(
    private readonly clock: WallClock,
    private readonly settings: Settings,
    private readonly readiness: Readiness,
    private readonly log: Log,
  ) {}

  /** Why decisions are held, in words that end with what to do; '' where they are not. */
  of(state: ClockState): string {
    const { maxGapMs } = this.settings.clock;
    this.follow(state, maxGapMs);
    const wall = this.clock.wall();
    const jump = this.clock.jumpMs;
    if (jump) return `the machine's clock has jumped from ${dated(wall - jump)} to ${dated(wall)}: ${remedy}`;
    if (state.now === undefined || state.mode !== 'live') return '';
    const known = Math.max(state.now, acceptedOf(state) ?? Number.NEGATIVE_INFINITY);
    if (wall - known > maxGapMs)
      return `time stands at ${dated(known)}, and the machine's clock says ${dated(wall)}: ${remedy}`;
    if (state.now - wall > maxGapMs)
      return `time is ${dated(state.now)} already, and the machine's clock says ${dated(wall)}: ${late}`;
    return '';
  }

  /** As `of`; readiness and the log say it too. */
  check(state: ClockState): string {
    const doubt = this.of(state);
    if (doubt) this.readiness.paused(where, doubt);
    else this.readiness.resumed(where);
    if (Boolean(doubt) !== Boolean(this.said)) this.log.warn({ doubt }, doubt ? 'no decision is made' : 'time goes on');
    this.said = doubt;
    return doubt;
  }

  /** I2: another replica's caller may have accepted what this one does not believe yet. */
  private follow(state: ClockState, maxGapMs: number): void {
    const accepted = acceptedOf(state);
    if (accepted !== undefined && this.clock.jumpMs && Math.abs(this.clock.wall() - accepted) <= maxGapMs)
      this.clock.accept();
  }
}

const acceptedOf = ({ document }: ClockState): number | undefined => document?.accepted ?? undefined;
const dated = (ms: number): string => new Date(ms).toISOString();
const remedy = 'set it right, or go on from it with `driftloop clock accept`';
const late = 'set it right; time that was spoken cannot be taken back, only restored with the home of before';
