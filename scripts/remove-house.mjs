// Removes all of the house DRIFTLOOP_NAMESPACE from the servers that the environment names: topics, groups, databases, objects.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeHouse } from '@driftloop/embedded';

const cache = mkdtempSync(join(tmpdir(), 'driftloop-remove-'));
try {
  await removeHouse(process.env, cache);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(cache, { recursive: true, force: true });
}
