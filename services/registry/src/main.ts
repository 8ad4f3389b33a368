/** The registry as a process of its own. */
import { start } from '@driftloop/service';
import { registry } from './registry.module.js';

await start(registry);
