/** Serving as a process of its own. */
import { start } from '@driftloop/service';
import { serving } from './serving.module.js';

await start(serving);
