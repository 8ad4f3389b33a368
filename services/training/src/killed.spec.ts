/** kill -9 in the middle of a training, and a new start in the same home. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { events } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { CUTOFF, house } from './testing/house.js';
import { HOUR, longDataset, withoutWallTimes } from './testing/training.js';

const child = fileURLToPath(new URL('./testing/killed.ts', import.meta.url));
const homes: string[] = [];
const newHome = () => {
  const home = mkdtempSync(join(tmpdir(), 'driftloop-killed-'));
  homes.push(home);
  return home;
};
afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

/** Starts a training in a home and kills its process when it has come to a step. */
async function killAt(home: string, step: string): Promise<void> {
  const running = spawn(process.execPath, [child, home], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(running.stdout)) if (line.startsWith(step)) break;
  running.kill('SIGKILL');
  await once(running, 'exit');
}

/** Starts a training in a home that kills itself at a point. */
async function killedAt(home: string, point: string): Promise<void> {
  const running = spawn(process.execPath, [child, home, point], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [, signal] = await once(running, 'exit');
  expect(signal).toBe('SIGKILL');
}

/** Waits, in a home, for the training that is requested there, and gives its outcome and its job. */
async function outcome(home: string) {
  const { request, tick, heard, client, asked, close } = await house({ home, data: longDataset });
  await request();
  await tick(CUTOFF + 6 * HOUR);
  const { jobs } = await call(client, 'listJobs', { model: 'parcels' });
  const trained = (await heard(events.modelTrained)).map(({ payload }) => payload);
  await close();
  return { trained: trained.map(withoutWallTimes), jobs, asked: asked() };
}

it('goes on from the last step after kill -9, and ends as it would have', async () => {
  const home = newHome();
  await killAt(home, 'twin');
  const killed = await outcome(home);
  const undisturbed = await outcome(newHome());
  expect(undisturbed.jobs).toMatchObject([{ state: 'reported', attempt: 1 }]);
  expect(killed.jobs).toMatchObject([{ state: 'reported', attempt: 2, error: '' }]);
  expect(killed.asked).toBe(0);
  expect(killed.trained).toHaveLength(1);
  expect(killed.trained).toEqual(undisturbed.trained);
}, 60_000);

it('fits anew what its checkpoint no longer holds as it was written', async () => {
  const home = newHome();
  await killAt(home, 'twin');
  const folder = join(home, 'objects');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const twin = join(folder, names.find((name) => name.endsWith('twin.json'))!);
  const model = JSON.parse(readFileSync(twin, 'utf8')) as { trees: unknown[] };
  writeFileSync(twin, JSON.stringify({ ...model, trees: model.trees.slice(0, 1) }));
  const spoiled = await outcome(home);
  const undisturbed = await outcome(newHome());
  expect(spoiled.jobs).toMatchObject([{ state: 'reported', attempt: 2, error: '' }]);
  expect(spoiled.trained).toEqual(undisturbed.trained);
}, 60_000);

it.each(['driftloop:training.checkpoint', 'driftloop:training.before-finish'])(
  'ends as it would have after dying at %s',
  async (point) => {
    const home = newHome();
    await killedAt(home, point);
    const killed = await outcome(home);
    const undisturbed = await outcome(newHome());
    expect(killed.jobs).toMatchObject([{ state: 'reported', attempt: 2, error: '' }]);
    expect(killed.trained).toEqual(undisturbed.trained);
  },
  60_000,
);
