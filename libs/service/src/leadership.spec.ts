/** One of two replicas leads: how the lead is kept, lost, given back and taken over. On clocks that are moved by hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HandClock } from '@driftloop/testing/clock';
import { openEmbeddedGround, openEmbeddedStore, readSettings } from './index.js';
import { Led } from './leadership.js';
import { openLog } from './log.js';

const leaseMs = 15_000;
const home = mkdtempSync(join(tmpdir(), 'driftloop-lead-'));
let close: () => Promise<void>;
let connection: Awaited<ReturnType<typeof openEmbeddedGround>>['connection'];

beforeEach(async () => {
  const store = await openEmbeddedStore(home, readSettings({}), 'throw');
  const ground = await openEmbeddedGround(home, 'led', store);
  connection = ground.connection;
  close = async () => {
    await connection.collection('leases').deleteMany({});
    await ground.close();
    await store.close();
  };
});
afterEach(() => close());
afterAll(() => rmSync(home, { recursive: true, force: true }));

const replica = (name: string, clock: HandClock) =>
  new Led({ connection, clock, log: openLog('led', 'silent'), name: 'led', replica: name, leaseMs });

/** Lets what was begun go on: writes of the embedded documents take a few turns of the loop. */
const turns = async (n = 30) => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** Time passes in steps that beats and looks can keep up with. */
async function pass(ms: number, ...clocks: HandClock[]): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    for (const clock of clocks) clock.pass(Math.min(500, left));
    await turns();
  }
}

it('is one replica’s for as long as it renews it', async () => {
  const clock = new HandClock();
  const [first, second] = [replica('a', clock), replica('b', clock)];
  expect(await first.lead()).toBe(true);
  const waiting = second.lead();
  await pass(10 * leaseMs, clock);
  expect([first.leads, second.leads, first.fence]).toEqual([true, false, 1]);
  expect(second.leader).toMatch(/^a\//);
  expect(() => second.check()).toThrow(/does not lead: a\//);
  await second.stop();
  expect(await waiting).toBe(false);
  await first.stop();
});

it('is taken over under a higher number when its holder has died, after the whole lease and not before', async () => {
  const clock = new HandClock();
  const [first, second] = [replica('a', clock), replica('b', clock)];
  await first.lead();
  const waiting = second.lead();
  await turns();
  first.abandon();
  await pass(leaseMs - 500, clock);
  expect(second.leads).toBe(false);
  await pass(3000, clock);
  expect([await waiting, second.leads, second.fence]).toEqual([true, true, 2]);
  await second.stop();
});

it('is given back by a replica that stops, so that nobody waits for it to run out', async () => {
  const clock = new HandClock();
  const [first, second] = [replica('a', clock), replica('b', clock)];
  await first.lead();
  const waiting = second.lead();
  await turns();
  await first.stop();
  await pass(leaseMs / 6 + 500, clock);
  expect([await waiting, second.fence]).toEqual([true, 2]);
  await second.stop();
});

it('is over for a holder that cannot renew it, before anybody else can take it', async () => {
  const [own, other] = [new HandClock(), new HandClock()];
  const [first, second] = [replica('a', own), replica('b', other)];
  const lost: string[] = [];
  await first.lead();
  first.onLost = (reason) => lost.push(reason);
  const waiting = second.lead();
  await turns();
  const { updateOne } = connection.models.Lease;
  connection.models.Lease.updateOne = () => {
    throw new Error('the documents are away');
  };
  let until = 0;
  while (first.leads && until < 2 * leaseMs) {
    until += 500;
    await pass(500, own, other);
  }
  connection.models.Lease.updateOne = updateOne;
  expect([until, second.leads]).toEqual([10_000, false]);
  await pass(leaseMs / 6, own, other);
  expect(lost).toEqual(['it could not be renewed in time']);
  await pass(leaseMs, own, other);
  expect([await waiting, second.fence]).toEqual([true, 2]);
  await second.stop();
});

it('is over at once for a holder whose machine slept through it', async () => {
  const [own, other] = [new HandClock(), new HandClock()];
  const [first, second] = [replica('a', own), replica('b', other)];
  await first.lead();
  const waiting = second.lead();
  await pass(leaseMs + 3000, other);
  expect(await waiting).toBe(true);
  expect(() => first.check()).not.toThrow(); // it has not woken yet
  const woken = own.now.bind(own);
  own.now = () => woken() + 2 * leaseMs; // its wall clock has gone on, its other one has not
  expect(() => first.check()).toThrow(/does not lead/);
  await Promise.all([first.stop(), second.stop()]);
});

it('goes to one alone of many that ask at once', async () => {
  const clock = new HandClock();
  const many = Array.from({ length: 8 }, (_, i) => replica(`r${i}`, clock));
  const waiting = many.map((one) => one.lead());
  await turns(100);
  expect(many.filter((one) => one.leads)).toHaveLength(1);
  await Promise.all(many.map((one) => one.stop()));
  await Promise.all(waiting);
});

it('goes to one alone of those that wait for the same holder to run out', async () => {
  const clock = new HandClock();
  const first = replica('a', clock);
  await first.lead();
  const many = Array.from({ length: 4 }, (_, i) => replica(`w${i}`, clock));
  const waiting = many.map((one) => one.lead());
  await turns();
  first.abandon();
  for (let i = 0; i < 40 && !many.some((one) => one.leads); i++) await pass(500, clock);
  expect(many.filter((one) => one.leads).map((one) => one.fence)).toEqual([2]);
  await Promise.all(many.map((one) => one.stop()));
  await Promise.all(waiting);
});

it('is noticed as lost by a holder that another has overtaken', async () => {
  const [own, other] = [new HandClock(), new HandClock()];
  const [first, second] = [replica('a', own), replica('b', other)];
  const lost: string[] = [];
  await first.lead();
  first.onLost = (reason) => lost.push(reason);
  const waiting = second.lead();
  await pass(leaseMs + 3000, other);
  await waiting;
  await pass(leaseMs / 6, own);
  expect(lost).toEqual(['another replica has taken it']);
  expect(first.leads).toBe(false);
  await second.stop();
});
