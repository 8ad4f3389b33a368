/** Monitoring as a process of its own. */
import { start } from '@driftloop/service';
import { monitoring } from './monitoring.module.js';

await start(monitoring);
