/** The gateway as a process of its own. */
import '@driftloop/service/node-version';

const { start } = await import('@driftloop/service');
const { gateway } = await import('./gateway.module.js');
await start(gateway);
