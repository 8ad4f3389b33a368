/**
 * A home that cannot be written in mid-run: nobody crashes, nothing is half written or given up for dead, it is said what
 * is wrong; and when it can be written again the loop goes on and decides the same. The errors are SQLite's own.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Control } from '@driftloop/client';
import { type House, openHouse } from '@driftloop/embedded';
import { Diary, type ReplayResult, replay } from '@driftloop/flights';
import { differenceOf } from '../crash/difference.js';
import { keptIn, outcomeOf } from '../crash/outcome.js';
import { playOut } from '../disturbances/play-out.js';
import { DAY, HOUR, START } from '../worlds/parcels.js';
import { openWorld, truth } from '../worlds/short.js';

const world = { ...openWorld(), truth: truth() };
const home = mkdtempSync(join(tmpdir(), 'driftloop-disk-'));
/** A tick of the quiet run: to stop elsewhere would make ticks of its own. */
const tick = (day: number): number => START + day * DAY - HOUR;
let house: House;

beforeAll(async () => {
  house = await openHouse(home, { anyPorts: true, environment: { DRIFTLOOP_LOG_LEVEL: 'fatal' } });
}, 60_000);
afterAll(async () => {
  await house?.close();
  rmSync(home, { recursive: true, force: true });
});

const play = (until?: number): Promise<ReplayResult> => {
  const doors = {
    gateway: house.url,
    serving: house.address('serving'),
    featureStore: house.address('feature-store'),
    labeling: house.address('labeling'),
  };
  return replay(world, { doors, token: house.replayToken, diary: join(home, 'replay'), until });
};

const pragma = (name: string): number => Number(Object.values(house.store.db.prepare(`PRAGMA ${name}`).get()!)[0]);
const reasons = (): string[] => [...house.services.values()].flatMap((service) => service.reasons());
const deadLetters = (): number =>
  Number(house.store.db.prepare('SELECT count(*) AS n FROM bus_dead').get()!.n) +
  Number(house.store.db.prepare('SELECT count(*) AS n FROM bus_replays').get()!.n);

/** Waits, for half a minute, until every partition goes on. */
async function ready(): Promise<void> {
  for (let i = 0; i < 300 && reasons().length; i++) await new Promise((resolve) => setTimeout(resolve, 100));
}

interface Trouble {
  /** What the services said while it lasted. */
  readonly said: string[];
  /** How the replay was refused, if it was; else it waited. */
  readonly refused: { code: string; message: string; retriable: boolean } | undefined;
}

/** Plays on in a home in which something is wrong for some seconds. */
async function playWith(trouble: string, cure: string, until: number): Promise<Trouble> {
  house.store.db.exec(trouble);
  let refused: Trouble['refused'];
  let over = false;
  const playing = play(until)
    .catch((error) => {
      refused = error;
    })
    .finally(() => {
      over = true;
    });
  const said = new Set<string>();
  for (let i = 0; i < 50 && !(over && said.size); i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const reason of reasons()) said.add(reason);
  }
  expect(new Diary(join(home, 'replay')).position()!.played).toBeLessThan(until);
  house.store.db.exec(cure);
  await playing;
  await ready();
  return { said: [...said], refused };
}

it('waits while the disk is full or the home read-only, says so, and goes on to the same end', async () => {
  const quiet = await playOut(world);
  await play(tick(11));
  const small = `PRAGMA max_page_count = ${pragma('page_count')}`;
  const full = await playWith(small, 'PRAGMA max_page_count = 1073741823', tick(14));
  const told = [...full.said, full.refused?.message];
  expect(told).toContainEqual(expect.stringContaining('database or disk is full'));
  expect([reasons(), deadLetters()]).toEqual([[], 0]);

  await play(tick(14));
  const readOnly = await playWith('PRAGMA query_only = 1', 'PRAGMA query_only = 0', tick(16));
  expect(readOnly.refused).toMatchObject({ code: 'DOCUMENTS_UNAVAILABLE', retriable: true });
  expect(readOnly.refused?.message).toMatch(/attempt to write a readonly database/);
  expect([reasons(), deadLetters()]).toEqual([[], 0]);

  const { frozenVersion } = await play();
  const control = new Control(house.url, house.replayToken);
  const diary = new Diary(join(home, 'replay'));
  const { model } = world;
  const found = await outcomeOf(keptIn(house), control, { model, truth: world.truth, frozenVersion, diary });
  expect(differenceOf(quiet, found)).toBeUndefined();
  expect(house.store.db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
}, 300_000);
