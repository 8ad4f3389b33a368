/** What may arrive in another order: whatever becomes known before the same promise of its source. */
import { Random } from '@driftloop/algorithms';
import type { Happening } from '@driftloop/flights';

/** The order in which a step's happenings are told and asked. */
export type Arrival = (due: readonly Happening[]) => Happening[];

/** Shuffles each step by a seed. With `repeats`, that share of its facts and outcomes comes twice. */
export function shuffledArrival(seed: number, repeats = 0): Arrival {
  const random = new Random(`arrival/${seed}`);
  return (due) => {
    const again = due.filter(({ kind }) => kind !== 'question' && random.uniform() < repeats);
    const all = [...due, ...again];
    const left = [...all];
    return all.map(() => left.splice(random.integer(left.length), 1)[0]);
  };
}
