/** Training as a process of its own. */
import { start } from '@driftloop/service';
import { training } from './training.module.js';

await start(training);
