/** Training as a process of its own. */
import '@driftloop/service/node-version';

const { start } = await import('@driftloop/service');
const { training } = await import('./training.module.js');
await start(training);
