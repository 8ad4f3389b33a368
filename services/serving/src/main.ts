/** Serving as a process of its own. */
import '@driftloop/service/node-version';

const { start } = await import('@driftloop/service');
const { serving } = await import('./serving.module.js');
await start(serving);
