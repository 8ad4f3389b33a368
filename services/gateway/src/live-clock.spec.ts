/** The live clock: its instants, its lateness, two replicas of it, and its peace with replays. On a clock moved by hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events, TimePassed } from '@driftloop/contracts';
import { type EmbeddedStore, openEmbeddedStore, readSettings } from '@driftloop/service';
import { HandClock } from '@driftloop/testing/clock';
import { replicaEnvironment, testService } from '@driftloop/testing/service';
import { ClockStates } from './clock-state.js';
import { gateway } from './index.js';
import { LiveClock } from './live-clock.js';

type Gateway = Awaited<ReturnType<typeof testService>>;
const minute = 60_000;
const start = Date.UTC(2026, 2, 1, 12, 0, 10);
const token = 'replay-token-of-a-test';
let home: string;
let store: EmbeddedStore;
let clock: HandClock;
const open: { close(): unknown }[] = [];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-clock-'));
  store = await openEmbeddedStore(home, readSettings({}), 'throw');
  clock = new HandClock(start);
});
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const nobody = Object.fromEntries(
  ['LABELING', 'FEATURE_STORE', 'TRAINING', 'REGISTRY', 'SERVING', 'MONITORING'].map((name) => [
    `DRIFTLOOP_${name}_ADDRESS`,
    '127.0.0.1:1',
  ]),
);
const common = { ...nobody, DRIFTLOOP_REPLAY_TOKEN: token };

async function replica(name: string, environment: Record<string, string> = {}): Promise<Gateway> {
  const environmentOf = replicaEnvironment(name, { ...common, ...environment });
  const running = await testService(gateway, { store, clock, environment: environmentOf });
  open.push(running);
  return running;
}

async function alone(environment: Record<string, string> = {}): Promise<Gateway> {
  const running = await testService(gateway, { store, clock, environment: { ...common, ...environment } });
  open.push(running);
  return running;
}

const pass = (ms: number, step?: number) => clock.live(ms, step);

const log = () => store.bus.read(events.timePassed.topic, 0, 0, 1000);
const ticks = async () =>
  (await log()).map(({ data }) => {
    const { now, previous, replay } = TimePassed.fromJSON(data);
    return { now: now!.getTime(), previous: previous?.getTime(), replay };
  });
const at = (minutes: number) => Date.UTC(2026, 2, 1, 12, minutes);

/** Passes time as a replay does. In a cluster of one gateway nobody attends. */
const post = (service: Gateway, now: string) =>
  fetch(`http://127.0.0.1:${service.httpPort}/v1/clock`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ now }),
  });

describe('the live clock', () => {
  it('speaks at whole minutes, a minute behind the wall, each naming the one before', async () => {
    await replica('a');
    await pass(3 * minute);
    expect(await ticks()).toEqual([
      { now: at(-1), previous: undefined, replay: false },
      { now: at(0), previous: at(-1), replay: false },
      { now: at(1), previous: at(0), replay: false },
      { now: at(2), previous: at(1), replay: false },
    ]);
  });

  it('speaks as often and as late as is declared', async () => {
    await replica('a', { DRIFTLOOP_CLOCK_INTERVAL_MS: '300000', DRIFTLOOP_CLOCK_LATENESS_MS: '120000' });
    await pass(12 * minute);
    expect((await ticks()).map(({ now }) => now)).toEqual([at(-5), at(0), at(5), at(10)]);
  });

  it('catches up with one tick after standing still', async () => {
    const first = await replica('a');
    await pass(minute);
    const before = await ticks();
    await first.close();
    await pass(30 * minute, minute);
    await replica('a');
    await pass(1000);
    const after = (await ticks()).slice(before.length);
    expect(after).toEqual([{ now: at(30), previous: before.at(-1)!.now, replay: false }]);
  });

  it('never goes back, whatever the wall does', async () => {
    await replica('a');
    await pass(2 * minute);
    const before = await ticks();
    const on = clock.now.bind(clock);
    clock.now = () => on() - 10 * minute; // somebody has set the machine's clock
    await pass(5 * minute);
    expect(await ticks()).toEqual(before);
    await pass(7 * minute);
    expect((await ticks()).map(({ now }) => now)).toEqual([...before.map(({ now }) => now), at(2), at(3)]);
  });

  it('is one of two replicas, and the other goes on where it died, without a gap or a repetition', async () => {
    const first = await replica('a');
    await replica('b');
    await pass(3 * minute);
    expect(await ticks()).toHaveLength(4);
    first.app.get(LiveClock).led!.abandon();
    await pass(3 * minute);
    const found = await ticks();
    expect(found.map(({ now }) => now)).toEqual([-1, 0, 1, 2, 3, 4, 5].map(at));
    expect(found.slice(1).map(({ previous }) => previous)).toEqual(found.slice(0, -1).map(({ now }) => now));
  });

  it('tells a tick that its speaker kept and did not live to tell, before the next one', async () => {
    const first = await replica('a');
    const states = first.app.get(ClockStates);
    const { tell } = states;
    await pass(minute);
    const before = (await ticks()).length;
    states.tell = () => Promise.reject(new Error('dead'));
    await pass(minute);
    expect(await ticks()).toHaveLength(before);
    await first.close();
    states.tell = tell;
    await pass(5 * minute, minute);
    await replica('b');
    await pass(1000);
    const news = (await ticks()).slice(before);
    expect(news.map(({ now, previous }) => [now, previous])).toEqual([
      [at(1), at(0)],
      [at(6), at(1)],
    ]);
  });

  it('keeps one tick after another, for one speaker: whoever read an older state comes too late', async () => {
    const states = (await replica('a')).app.get(ClockStates);
    await pass(minute);
    const [read, alsoRead] = [await states.find(), await states.find()];
    expect(await states.keep(read, 'live', at(1), at(0), false)).toBe(true);
    expect(await states.keep(alsoRead, 'live', at(2), at(0), false)).toBe(false);
    expect(await states.find()).toMatchObject({ now: at(1), previous: at(0) });
  });

  it('keeps nothing on what a later speaker has kept since it looked', async () => {
    const late = (await replica('a')).app.get(ClockStates);
    await pass(minute);
    const { find } = late;
    late.find = async () => {
      late.find = find;
      const looked = await find.call(late);
      await late.keep(looked, 'live', at(5), looked.now, false); // another speaker, whose wall is ahead
      return looked;
    };
    await pass(minute + 2000);
    expect(await late.find()).toMatchObject({ now: at(5), previous: at(0), told: true });
    expect((await ticks()).map(({ now }) => now)).toEqual([at(-1), at(0), at(5)]);
  });

  it('leaves the clock to a replay that took it since it looked', async () => {
    const late = (await replica('a')).app.get(ClockStates);
    await pass(minute);
    const before = await ticks();
    const { find } = late;
    late.find = async () => {
      late.find = find;
      const looked = await find.call(late);
      await late.keep(looked, 'replay', looked.now, looked.previous);
      return looked;
    };
    await pass(3 * minute);
    expect(await late.find()).toMatchObject({ mode: 'replay', now: at(0) });
    expect(await ticks()).toEqual(before);
  });

  it('keeps time when the log has forgotten its ticks', async () => {
    const first = await replica('a');
    await pass(minute);
    await first.close();
    const { ends } = store.bus;
    store.bus.ends = async (topic) => (topic === events.timePassed.topic ? [0] : ends.call(store.bus, topic));
    const again = await replica('a');
    expect(await again.app.get(ClockStates).find()).toMatchObject({ mode: 'live', now: at(0), told: true });
    store.bus.ends = ends;
  });
});

describe('a replay and the live clock', () => {
  it('exclude each other: a live house refuses a replay, and says how to have one', async () => {
    const live = await replica('a');
    await pass(minute);
    const before = await ticks();
    const refused = await post(live, '2026-03-02T00:00:00Z');
    expect([refused.status, await refused.json()]).toMatchObject([412, { code: 'CLOCK_IS_LIVE' }]);
    expect(await ticks()).toEqual(before);
  });

  it('exclude each other: a replayed house stays silent unless it is told to live', async () => {
    const home = await alone();
    expect((await post(home, '2013-02-01T00:00:00Z')).status).toBe(200);
    await home.close();
    const silent = await replica('a');
    await pass(5 * minute);
    expect(await ticks()).toHaveLength(1);
    await silent.close();
    const told = await replica('a', { DRIFTLOOP_CLOCK: 'live' });
    await pass(minute);
    const [replayed, first] = await ticks();
    expect(first).toEqual({ now: at(4), previous: replayed.now, replay: false });
    expect((await post(told, '2027-01-01T00:00:00Z')).status).toBe(412);
  });

  it('exclude each other: a live clock falls silent where a replay was let in', async () => {
    await replica('a', { DRIFTLOOP_CLOCK_LATENESS_MS: '3600000' });
    await pass(minute);
    const before = await ticks();
    const replaying = await alone({ DRIFTLOOP_CLOCK: 'replay' });
    expect((await post(replaying, '2026-03-01T12:30:00Z')).status).toBe(200);
    await pass(120 * minute, minute);
    expect(await ticks()).toEqual([...before, { now: at(30), previous: before.at(-1)!.now, replay: true }]);
  });

  it('are as they were in a home: silent, until a replay or the operator speaks', async () => {
    const home = await alone();
    await pass(5 * minute);
    expect(await ticks()).toEqual([]);
    await home.close();
    await alone({ DRIFTLOOP_CLOCK: 'live' });
    await pass(minute);
    expect((await ticks()).map(({ replay }) => replay)).toEqual([false, false]);
  });
});
