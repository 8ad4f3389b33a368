/** For specs, as a world's module: the world of the crash suite in steps as long as they may be, where each one waits. */
import type { World } from '@driftloop/flights';
import { openWorld as openSmall } from '../crash/world.js';
import { HOUR } from './parcels.js';

export { model, truth } from '../crash/world.js';

export const openWorld = (): World => ({ ...openSmall(), step: 6 * HOUR });
