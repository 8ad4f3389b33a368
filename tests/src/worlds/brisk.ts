/** For specs, as a world's module: the world of the crash suite in steps as long as they may be, where each one waits. */
import type { World } from '@driftloop/flights';
import { HOUR } from './parcels.js';
import { openWorld as openSmall } from './short.js';

export { model, truth } from './short.js';

export const openWorld = (): World => ({ ...openSmall(), step: 6 * HOUR });
