/** The feature store as a process of its own. */
import '@driftloop/service/node-version';

const { start } = await import('@driftloop/service');
const { featureStore } = await import('./feature-store.module.js');
await start(featureStore);
