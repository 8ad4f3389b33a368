/**
 * The world that crashes are tried on, as a module for `--world`: parcels again, small enough for seconds, with a first
 * model, a renewal that goes through shadow and canary to promotion, and one that has begun.
 */
import type { World } from '@driftloop/flights';
import { parcelsWorld } from './parcels.js';

export { model } from './parcels.js';

const options = {
  days: 20,
  perDay: 120,
  history: 9,
  driftAt: 12,
  spec: [
    ['promoteAt: 10', 'promoteAt: 2'],
    ['harmAt: 20, maxDays: 6', 'harmAt: 20, maxDays: 4'],
    ['duration: 12h', 'duration: 6h'],
    ['minFreshLabels: 700', 'minFreshLabels: 400'],
    ['atLeast: 1 }', 'atLeast: 0.35 }'],
    ['cooldown: 3d', 'cooldown: 1d'],
    ['trees: 30', 'trees: 20'],
    ['search: { trials: 0 }', 'search: { trials: 2, rows: 2000 }'],
  ],
} as const;

export const openWorld = (): World => parcelsWorld(options);
export const truth = (): Map<string, number> => parcelsWorld(options).truth;
