/** Labeling as a process of its own. */
import { start } from '@driftloop/service';
import { labeling } from './labeling.module.js';

await start(labeling);
