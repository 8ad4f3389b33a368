/** A machine's clock that cannot be believed: what is held, who says so, and how it goes on. On clocks moved by hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events, TimePassed } from '@driftloop/contracts';
import { type EmbeddedStore, openEmbeddedStore, readSettings, WallClock } from '@driftloop/service';
import { HandClock } from '@driftloop/testing/clock';
import { replicaEnvironment, testService } from '@driftloop/testing/service';
import { ClockDocuments } from './clock.documents.js';
import { gateway } from './index.js';

type Gateway = Awaited<ReturnType<typeof testService>>;
const [minute, day] = [60_000, 86_400_000];
const start = Date.UTC(2026, 2, 1, 12, 0, 10);
const services = ['LABELING', 'FEATURE_STORE', 'TRAINING', 'REGISTRY', 'SERVING', 'MONITORING'];
const nobody = Object.fromEntries(services.map((name) => [`DRIFTLOOP_${name}_ADDRESS`, '127.0.0.1:1']));

/** A machine whose wall can be set wrong, while its monotonic clock and its timers go on. */
class Machine extends HandClock {
  wrongBy = 0;
  private readonly guarded = new WallClock({ wall: () => this.wall(), monotonic: () => this.elapsed() });
  override now = () => this.guarded.now();
  override wall = () => start + this.elapsed() + this.wrongBy;
  override accept = () => this.guarded.accept();
  override get jumpMs() {
    return this.guarded.jumpMs;
  }
}

let home: string;
let store: EmbeddedStore;
let machine: Machine;
let running: Gateway | undefined;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-doubt-'));
  store = await openEmbeddedStore(home, readSettings({}), 'throw');
  machine = new Machine(start);
});
afterEach(async () => {
  await running?.close();
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

/** A start reads the wall as it is: what was before it, only the home knows. */
async function open(): Promise<Gateway> {
  machine.accept();
  running = await testService(gateway, { store, clock: machine, environment: replicaEnvironment('a', nobody) });
  return running;
}
const ticks = async () =>
  (await store.bus.read(events.timePassed.topic, 0, 0, 1000)).map(({ data }) =>
    TimePassed.fromJSON(data).now!.getTime(),
  );
const newest = async () => (await ticks()).at(-1)!;

const accept = async (note = '') => {
  const reply = await fetch(`http://127.0.0.1:${running!.httpPort}/v1/clock/accept`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ note }),
  });
  return [reply.status, await reply.json()];
};

it('is not spoken of while it is wrong for four seconds by ten years, and time goes on as if nothing had been', async () => {
  const service = await open();
  await machine.live(2 * minute);
  const before = await ticks();
  machine.wrongBy = 3650 * day;
  await machine.live(4000);
  await machine.live(2 * minute);
  expect(await ticks()).toEqual(before);
  expect(service.reasons().join()).toMatch(
    /the live clock.*jumped from 2026-03-01T12:0.* to 2036-.*driftloop clock accept/,
  );
  machine.wrongBy = 0;
  await machine.live(minute);
  expect(service.reasons().join()).not.toMatch(/live clock/);
  expect(await newest()).toBe(before.at(-1)! + 3 * minute);
});

it('goes on where the machine has slept for three days', async () => {
  await open();
  await machine.live(2 * minute);
  const before = await newest();
  machine.wrongBy = 3 * day;
  await machine.live(minute);
  expect(await newest()).toBe(before + 3 * day + minute);
});

it('is asked about at the start of a home that was put away for a year, and goes on when it is accepted', async () => {
  const first = await open();
  await machine.live(2 * minute);
  const before = await ticks();
  await first.close();
  machine.wrongBy = 365 * day;
  const again = await open();
  await machine.live(2 * minute);
  expect(await ticks()).toEqual(before);
  expect(again.ready()).toBe(false);
  expect(again.reasons().join()).toMatch(/time stands at 2026-03-01T12:0.*the machine's clock says 2027-03-01/);
  expect(await accept('restored from the archive')).toEqual([200, { by: 'main' }]);
  await machine.live(minute);
  expect(await newest()).toBeGreaterThan(before.at(-1)! + 365 * day);
  expect(again.ready()).toBe(true);
  const document = await again.app.get(ClockDocuments).find();
  expect(document).toMatchObject({ acceptedBy: 'main', acceptedNote: 'restored from the archive' });
});

it('goes on from what was accepted after a restart before the next tick', async () => {
  const first = await open();
  await machine.live(2 * minute);
  machine.wrongBy = 365 * day;
  await machine.live(minute);
  expect(await accept()).toEqual([200, { by: 'main' }]);
  await first.close();
  const again = await open();
  await machine.live(minute);
  expect(again.ready()).toBe(true);
  expect(await newest()).toBeGreaterThan(start + 364 * day);
});

it('cannot be accepted where time would have to go back, and says what is wrong', async () => {
  const first = await open();
  await machine.live(2 * minute);
  await first.close();
  machine.wrongBy = -30 * day;
  const again = await open();
  await machine.live(minute);
  expect(again.reasons().join()).toMatch(/time is 2026-03-01.* already, and the machine's clock says 2026-01-30/);
  expect(await accept()).toMatchObject([412, { code: 'CLOCK_IN_DOUBT' }]);
});
