/** The gateway as a process of its own. */
import { start } from '@driftloop/service';
import { gateway } from './gateway.module.js';

await start(gateway);
