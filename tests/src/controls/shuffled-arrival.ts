/**
 * Shuffled arrival: what is told between two promises of a source may come in any order, and a tenth of it twice. The same
 * world is played in order and shuffled, each in a house of its own: ledger, versions, cycles and figures must be the same.
 */
import { shuffledArrivalControl } from '../disturbances/play-out.js';
import { parcelsWorld } from '../worlds/parcels.js';
import type { Control } from './control.js';

export const shuffledArrival: Control = {
  name: 'shuffled arrival within the watermark',
  mustShow: 'identical ledger',
  async run({ seed, tell }) {
    tell('shuffled arrival: a world in order, and shuffled twice');
    const { expected, found, difference } = await shuffledArrivalControl(parcelsWorld({ driftAt: 12 }), [
      seed,
      seed + 1,
    ]);
    const equal = difference === undefined ? found.filter((ledger) => ledger === expected).length : 0;
    const showed = `${equal} of ${found.length}; ledger ${expected.slice(0, 12)}${difference ? `; first difference: ${difference}` : ''}`;
    return [{ what: 'identical ledgers, versions and figures', figure: equal, showed, atLeast: found.length }];
  },
};
