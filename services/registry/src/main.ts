/** The registry as a process of its own. */
import '@driftloop/service/node-version';

const { start } = await import('@driftloop/service');
const { registry } = await import('./registry.module.js');
await start(registry);
