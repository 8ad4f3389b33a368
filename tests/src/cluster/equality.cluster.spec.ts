/**
 * One process and six come to the same: a small world on the embedded stores, and on real servers with
 * each service in a process of its own. What is compared is all that a run leaves: decisions, bytes, answers, sums.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openProcesses, type ProcessHouse, removeHouse } from '@driftloop/embedded';
import { describeOn } from '@driftloop/testing/servers';
import { playInProcesses, playQuietly } from '../chaos/runs.js';
import { differenceOf } from '../crash/difference.js';

const world = new URL('../worlds/brisk.js', import.meta.url).href;

describeOn(['kafka', 'mongod', 'minio'], 'the same world in one process and in six', () => {
  const environment = { ...process.env, DRIFTLOOP_NAMESPACE: `equal-${process.pid}`, DRIFTLOOP_LOG_LEVEL: 'warn' };
  const home = mkdtempSync(join(tmpdir(), 'driftloop-equal-'));
  let house: ProcessHouse | undefined;
  afterAll(async () => {
    await house?.close();
    await removeHouse(environment, join(home, 'removing'));
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  it('comes to the same ledger, versions, bytes, answers and figures', async () => {
    const one = await playQuietly(world);
    house = await openProcesses(home, { environment });
    const six = await playInProcesses(house, world, environment);
    expect(differenceOf(one, six)).toBeUndefined();
    expect(six.ledgerSha256).toBe(one.ledgerSha256);
    // A world in which nothing was decided would be equal too.
    expect(one.cycles.map((cycle) => (cycle as { outcome?: string }).outcome)).toContain('promoted');
    expect(one.versions.length).toBeGreaterThan(2);
    expect(one.ledger.length).toBeGreaterThan(5);
  }, 300_000);
});
