/** Monitoring as a process of its own. */
import '@driftloop/service/node-version';

const { start } = await import('@driftloop/service');
const { monitoring } = await import('./monitoring.module.js');
await start(monitoring);
