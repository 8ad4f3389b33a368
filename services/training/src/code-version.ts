/** The version of the code that trains, for lineage and graphs. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** E.g. "training@0.1.0". */
export const codeVersion = `training@${(require('@driftloop/training/package.json') as { version: string }).version}`;
