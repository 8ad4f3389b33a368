/** The feature store as a process of its own. */
import { start } from '@driftloop/service';
import { featureStore } from './feature-store.module.js';

await start(featureStore);
