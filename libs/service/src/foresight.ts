/**
 * How far ahead a known-at, or the promise of a watermark, can honestly be: nothing is known before it happens.
 *
 * I1  Live, the clock is the end, and what clocks differ by.
 * I2  In a replay the clock says nothing of the replayed time. A promise may go further than what is known by less than
 *     what a person is asked about at a clock (maxGapMs), or than the declared silence where that is longer.
 * I3  A replay lies on one side of the present: where everything else is past, what is known only in the future is not.
 */
import { clockSkewMs } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { WallClock } from './clock.js';
import { Settings } from './settings.js';

/** Whether the wall says what time it is: where nobody has chosen, it does in a cluster (as the gateway's clock has it). */
export const isLive = ({ mode, clock }: Settings): boolean => (clock.mode ? clock.mode === 'live' : mode === 'cluster');

@Injectable()
export class Foresight {
  constructor(
    private readonly settings: Settings,
    private readonly clock: WallClock,
  ) {}

  get live(): boolean {
    return isLive(this.settings);
  }

  /**
   * The latest that a promise may be, epoch ms: `newest` is the newest that is known or promised by now, if anything is.
   */
  latestPromise(newest: number | undefined, silenceMs = 0): number {
    const now = this.clock.now();
    if (this.live) return now + clockSkewMs; // I1
    return (newest ?? now) + Math.max(this.settings.clock.maxGapMs, silenceMs); // I2
  }

  /** The latest that one of some rows can be known at; Infinity where that cannot be said. `earliest` is the first of them. */
  latestKnownAt(earliest: number, newest: number | undefined): number {
    const now = this.clock.now();
    if (this.live) return now + clockSkewMs; // I1
    const latest = now + this.settings.clock.maxGapMs;
    const isOfTheFuture = earliest > latest || (newest ?? Number.NEGATIVE_INFINITY) > latest;
    return isOfTheFuture ? Number.POSITIVE_INFINITY : latest; // I3
  }

  /** In an error: what to do about a promise that is too far ahead. */
  get advice(): string {
    return this.live
      ? 'promise what has been sent, up to a time that has come'
      : 'send what became known until then first, or promise it in smaller steps';
  }
}
