/** Labeling as a process of its own. */
import '@driftloop/service/node-version';

const { start } = await import('@driftloop/service');
const { labeling } = await import('./labeling.module.js');
await start(labeling);
