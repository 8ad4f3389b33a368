/** Monitoring in two replicas, and two replicas of serving that speak to it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events, RolloutFailed, RolloutFollowed, Stage } from '@driftloop/contracts';
import { type EmbeddedStore, Leadership, openEmbeddedStore, readSettings } from '@driftloop/service';
import { HandClock } from '@driftloop/testing/clock';
import { replicaEnvironment, testService } from '@driftloop/testing/service';
import { keepFenced } from './fenced.js';
import { Ledger } from './ledger.js';
import { LoopDocuments } from './loop.documents.js';
import { Loop } from './loop.js';
import { monitoring } from './monitoring.module.js';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { day, start } from './testing/world.js';

const leaseMs = 15_000;
let home: string;
let store: EmbeddedStore;
let clock: HandClock;
const open: { close(): unknown }[] = [];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-monitoring-'));
  store = await openEmbeddedStore(home, readSettings({}), 'throw');
  clock = new HandClock();
});
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const as = (name: string) => ({ store, clock, environment: replicaEnvironment(name) });

const pass = (ms: number, step?: number) => clock.live(ms, step);

it('decides the same when its leader dies on the way and another takes over', async () => {
  const quiet = await openLoop();
  for (let d = 0; d < 11; d++) await quiet.live(start + d * day);
  const expected = await quiet.service.app.get(Ledger).read('main/parcels', { after: 0, limit: 0 });
  await quiet.close();
  expect(expected.entries.length).toBeGreaterThan(1);

  const world: LoopWorld = await openLoop(as('a'));
  open.push(world.service);
  for (let d = 0; d < 8; d++) await world.live(start + d * day);
  let second: Awaited<ReturnType<typeof testService>> | undefined;
  const waiting = testService(monitoring, as('b')).then((running) => {
    second = running;
    open.push(running);
  });
  await pass(2 * leaseMs);
  await world.live(start + 8 * day);
  expect([second, world.service.app.get(Loop).now > start]).toEqual([undefined, true]);
  await world.service.die();
  await pass(leaseMs + 3000);
  await waiting;
  for (let d = 9; d < 11; d++) await world.live(start + d * day);
  const found = await second!.app.get(Ledger).read('main/parcels', { after: 0, limit: 0 });
  expect(found.sha256).toBe(expected.sha256);
  world.client.close();
});

it('keeps what a later leader wrote from a leader of before', async () => {
  class Believing extends Leadership {
    constructor(override readonly fence: number) {
      super();
    }
    override check(): void {}
  }
  const service = await testService(monitoring, { store });
  open.push(service);
  const { clocks } = service.app.get(LoopDocuments);
  await keepFenced(clocks, { _id: 'clock', now: 1, previous: null }, new Believing(1));
  await keepFenced(clocks, { _id: 'clock', now: 3, previous: 1 }, new Believing(2));
  const late = keepFenced(clocks, { _id: 'clock', now: 2, previous: 1 }, new Believing(1));
  await expect(late).rejects.toMatchObject({ code: 'OVERTAKEN', retriable: true });
  expect(await service.app.get(LoopDocuments).clock()).toMatchObject({ now: 3 });
});

it('ends a trial once where both replicas of serving cannot serve it, and says so of both', async () => {
  const world = await openLoop({ store });
  open.push(world.service);
  const { request, next } = await world.untilOpened(start);
  const cycleId = request.cycleId;
  await world.trained(next, cycleId);
  await world.approve(next, cycleId, 'v2');
  const trial = { champion: { version: 'v1' }, challenger: { version: 'v2' }, stage: Stage.SHADOW };
  await world.roll(next, { ...trial, cycleId, rolloutId: `${cycleId}/v2` });
  const told = { ...world.key, rolloutId: `${cycleId}/v2`, cycleId, version: 'v2', code: 'MODEL_CORRUPT', reason: 'x' };
  for (const replica of ['serving-0', 'serving-1']) {
    const failed = RolloutFailed.fromPartial({ ...told, replica, revision: world.revision(), answering: 'v1' });
    await world.tell(events.rolloutFailed, failed, next);
  }
  await world.pass(next, next + 2 * day);
  expect(await world.heard(events.rolloutJudged)).toHaveLength(1);
  const [cycle] = (await world.cycles()).filter((one) => one.cycleId === cycleId);
  expect(cycle.steps.filter(({ what }) => /^replica .* cannot serve v2/.test(what))).toHaveLength(2);
  const { attention } = await world.status();
  expect(attention.filter((line) => /replica serving-\d cannot serve v2/.test(line))).toHaveLength(2);

  // The next revision is followed by one of them; the other is gone for good.
  await world.roll(next + 3 * day, { champion: { version: 'v1' } });
  const followed = RolloutFollowed.fromPartial({ ...told, revision: world.revision(), replica: 'serving-0' });
  await world.tell(events.rolloutFollowed, { ...followed, version: 'v1' }, next + 3 * day);
  await world.bus.settled();
  const after = await world.status();
  expect(after.attention.filter((line) => /cannot serve/.test(line))).toEqual([]);
  expect(after.answering).toEqual(['v1']);
  world.client.close();
});
