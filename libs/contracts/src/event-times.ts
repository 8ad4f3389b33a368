/** The event times that every service takes: what one has accepted, the next must not refuse. */

/** Epoch ms. */
const earliest = Date.UTC(1900, 0);
const end = Date.UTC(2200, 0);

/** Whether epoch ms are plausible: seconds taken for milliseconds, or a year of 20133, are not. NaN is not. */
export function isEventMs(ms: number): boolean {
  return ms >= earliest && ms < end;
}

/** Whether there is a time, and a plausible one. */
export function isEventTime(time: Date | undefined): time is Date {
  return time !== undefined && isEventMs(time.getTime());
}

/** How far the clock of whoever reports may go before ours, ms: what is further ahead has not come. */
export const clockSkewMs = 3_600_000;

/**
 * How finely it is told and kept how far a source has come, ms: every hour of every source would cost more than it tells.
 * Told at each border and kept rounded down, the same is known at a tick however the batches were cut.
 */
export const watermarkGrainMs = 3 * 3_600_000;
