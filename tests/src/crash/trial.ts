/** One death tried: a run that dies there and goes on, beside the quiet one. */
import { differenceOf } from './difference.js';
import type { Outcome } from './outcome.js';
import { type Death, type Play, play } from './runs.js';

export interface Tried {
  readonly death: Death;
  /** Whether the run died: passages and times differ a little from run to run, and a late one may not be reached. */
  readonly died: boolean;
  /** What it had said and not written when it died, or where it differs from the quiet run; undefined where it is equal. */
  readonly difference: string | undefined;
}

/** Tries a death; one that is not reached is tried at half of its passage or time. */
export async function tryDeath(quiet: Outcome, played: Play, death: Death): Promise<Tried> {
  try {
    const { outcome, deaths, unwritten } = await play(played, death);
    const difference = unwritten ?? differenceOf(quiet, outcome);
    const sooner = deaths || difference ? undefined : half(death);
    return sooner ? tryDeath(quiet, played, sooner) : { death, died: deaths > 0, difference };
  } catch (error) {
    return { death, died: true, difference: (error as Error).message };
  }
}

function half(death: Death): Death | undefined {
  if ('afterMs' in death) return { afterMs: Math.floor(death.afterMs / 2) };
  const { point, nth } = death.at;
  return nth > 1 ? { at: { point, nth: Math.floor(nth / 2) } } : undefined;
}
