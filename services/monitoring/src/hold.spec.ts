/** Pausing a loop: what stops, what goes on, what is kept of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { day, hour, specText, start } from './testing/world.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const world of open.splice(0)) await world.close();
});

async function loop(options: Parameters<typeof openLoop>[0] = {}): Promise<LoopWorld> {
  const retraining = { minFreshLabels: 100, cooldown: '8d', any: [{ growth: { atLeast: 0.5 } }] };
  const world = await openLoop({ spec: specText({ retraining }), ...options });
  open.push(world);
  return world;
}

const say = (world: LoopWorld, paused: boolean, note = '') =>
  call(world.client, 'pause', { model: 'parcels', paused, note }, { deadlineMs: 5000 });
const live = async (world: LoopWorld, from: number, days: number) => {
  for (let i = 0; i < days; i++) await world.live(from + i * day);
};
const holds = async (world: LoopWorld) => (await world.heard(events.loopHeld)).filter(({ by }) => by === 'person');

it('lets no cycle open while it lasts, and one open at the next check after', async () => {
  const world = await loop();
  await live(world, start, 4);
  expect(await say(world, true, 'the data team is at it')).toMatchObject({
    ...{ paused: true, pausedNote: 'by main: the data team is at it' },
  });
  await live(world, start + 4 * day, 8);
  expect(await world.requested()).toEqual([]);
  expect(await world.status()).toMatchObject({ paused: true, openCycle: '' });
  expect(await say(world, false)).toMatchObject({ paused: false, pausedNote: '' });
  await live(world, start + 12 * day, 1);
  expect(await world.requested()).toHaveLength(1);
});

it('goes on measuring and telling signals', async () => {
  const world = await loop();
  await live(world, start, 1);
  await say(world, true);
  for (let i = 1; i < 10; i++) await world.live(start + i * day, { p: ({ p }) => Math.min(0.95, p + 0.3) });
  expect((await world.heard(events.performanceDegraded)).length).toBeGreaterThan(0);
  expect((await world.status()).signals.map(({ test }) => test)).toContain('calibration_gap');
  expect(await world.requested()).toEqual([]);
});

it('lets an open cycle go on to its end', async () => {
  const world = await loop();
  const { request, next } = await world.untilOpened(start);
  await say(world, true);
  await world.trained(next - 6 * hour, request.cycleId);
  await world.refuse(next - 6 * hour, request.cycleId, 'v2');
  await live(world, next, 1);
  expect(await world.closed()).toMatchObject([{ outcome: 'refused' }]);
});

it('is in the ledger as the decision of the tick that acted on it, without the note or who said it', async () => {
  const world = await loop();
  await live(world, start, 2);
  await say(world, true, 'a secret reason');
  await say(world, true, 'said twice');
  await live(world, start + 2 * day, 2);
  const { entries } = await world.ledger();
  const said = entries.filter(({ decision }) => decision!.kind === 'hold').map(({ decision }) => decision!);
  expect(said).toMatchObject([{ outcome: 'paused', eventTime: new Date(start + day + 18 * hour) }]);
  expect(JSON.stringify(entries)).not.toMatch(/secret|said twice/);
  expect(await holds(world)).toMatchObject([
    { paused: true, note: 'a secret reason', decision: { id: said[0].id }, eventTime: said[0].eventTime },
  ]);
});

it('gives the same ledger for the same words between the same ticks', async () => {
  const shas: string[] = [];
  for (const note of ['one', 'another']) {
    const world = await loop();
    await live(world, start, 6);
    await say(world, true, note);
    await live(world, start + 6 * day, 5);
    await say(world, false, note);
    await live(world, start + 11 * day, 3);
    expect((await world.requested()).length).toBe(1);
    shas.push((await world.ledger()).sha256);
  }
  expect(shas[0]).toBe(shas[1]);
});

it('is acted on once, also where its tick is heard again and the process is another', async () => {
  const home = mkdtempSync(join(tmpdir(), 'driftloop-hold-'));
  try {
    const world = await loop({ home });
    await live(world, start, 3);
    await say(world, true);
    const now = start + 2 * day + 18 * hour;
    await world.tick(now);
    await world.tick(now);
    await open.pop()!.close();
    const again = await loop({ home, resume: world.revision() });
    await again.tick(now);
    expect(await again.status()).toMatchObject({ paused: true });
    expect(await holds(again)).toHaveLength(1);
    await live(again, start + 4 * day, 9);
    expect(await again.requested()).toEqual([]);
  } finally {
    while (open.length) await open.pop()!.close();
    rmSync(home, { recursive: true, force: true });
  }
});

it('closes the breaker too, when the loop is let go on', async () => {
  const retraining = { minFreshLabels: 40, cooldown: '1d', breakerAfter: 1, any: [{ growth: { atLeast: 0.1 } }] };
  const world = await loop({ spec: specText({ retraining }) });
  const { request, next } = await world.untilOpened(start);
  await world.trained(next - 6 * hour, request.cycleId);
  await world.refuse(next - 6 * hour, request.cycleId, 'v2');
  await live(world, next, 4);
  expect(await world.requested()).toHaveLength(1);
  expect((await world.status()).attention.join()).toContain('the breaker is open');
  await say(world, false, 'looked at it');
  await live(world, next + 4 * day, 3);
  expect((await world.requested()).length).toBeGreaterThan(1);
});

it('is refused for a model that is not declared', async () => {
  const world = await loop();
  const unknown = call(world.client, 'pause', { model: 'boxes', paused: true, note: '' });
  await expect(unknown).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' });
});
