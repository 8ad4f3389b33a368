/**
 * A small house that lives: its own clock speaks, facts and questions come as they happen, and nobody says what time it
 * is. A day passes in six seconds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Control, Predictor, type Question, Reporter, verifyLedger } from '@driftloop/client';
import { events, PredictionsMade, TimePassed } from '@driftloop/contracts';
import { type House, openHouse } from '@driftloop/embedded';
import { Telling } from '@driftloop/flights';
import { FastClock } from '@driftloop/testing/clock';
import { DAY, HOUR, parcelsWorld, START } from '../worlds/parcels.js';

const history = 9;
const begin = START + history * DAY;
const speed = (4 * HOUR) / 1000;
/** Wall time is scaled: what is written within a second of it is four hours old. */
const lateness = 4 * HOUR;
const world = parcelsWorld({
  days: 40,
  history,
  spec: [['cooldown: 3d', 'cooldown: 3d\n    deadlines: { training: 30d }']],
});

let home: string;
let house: House;
let clock: FastClock;
let control: Control;
let ended = false;
let living: Promise<void>;
let answered = 0;

/** What happens in the world, as its time comes. */
async function live(): Promise<void> {
  const doors = { featureStore: house.address('feature-store'), labeling: house.address('labeling') };
  const [reporter, predictor] = [new Reporter(doors), new Predictor(house.address('serving'))];
  const telling = new Telling(world, reporter);
  let next = 0;
  while (!ended) {
    const now = clock.now();
    const from = next;
    while (next < world.happenings.length && world.happenings[next].at <= now) next++;
    const due = world.happenings.slice(from, next);
    await telling.tell(due, now);
    const questions = due.flatMap((h) => (h.kind === 'question' && h.at >= begin ? [h.question] : []));
    await Promise.all(questions.map(({ eventTime: _, ...question }) => answer(predictor, question)));
    answered += questions.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  telling.close();
  predictor.close();
  reporter.close();
}

/** As any caller does: what may be tried again is, as where the first version is still being loaded. */
async function answer(predictor: Predictor, question: Question): Promise<void> {
  for (;;) {
    try {
      return void (await predictor.predict(question));
    } catch (error) {
      if (ended || !(error as { retriable?: boolean }).retriable) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 900; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`it never came to this: ${what}`);
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-live-'));
  clock = new FastClock(begin, speed);
  const environment = {
    ...{ DRIFTLOOP_LOG_LEVEL: 'fatal', DRIFTLOOP_CLOCK: 'live', DRIFTLOOP_FEATURE_PATIENCE_MS: '100' },
    DRIFTLOOP_CLOCK_MAX_GAP_MS: String(365 * 24 * HOUR), // at this speed a busy machine sleeps for days
    ...{ DRIFTLOOP_CLOCK_INTERVAL_MS: String(HOUR), DRIFTLOOP_CLOCK_LATENESS_MS: String(lateness) },
  };
  house = await openHouse(home, { anyPorts: true, environment, clock });
  control = new Control(house.url, house.replayToken);
  await control.apply(world.spec);
  living = live();
  await until('the first trained version is champion', async () => {
    const { rollout } = await control.rollout(world.model);
    return rollout?.champion?.version === 'v1';
  });
  await until('two live days are closed', async () => {
    const { days } = await control.status(world.model);
    return days.filter(({ predictions }) => predictions > 0).length >= 2;
  });
  ended = true;
  await living;
}, 240_000);

afterAll(async () => {
  ended = true;
  await living?.catch(() => undefined);
  await house?.close();
  rmSync(home, { recursive: true, force: true });
});

const read = (topic: string) => house.store.bus.read(topic, 0, 0, 10_000);

it('passes time by itself, at whole hours, behind the wall, each tick after the one before', async () => {
  const ticks = (await read(events.timePassed.topic)).map(({ data }) => TimePassed.fromJSON(data));
  expect(ticks.length).toBeGreaterThan(40);
  for (const [i, { now, previous, replay }] of ticks.entries()) {
    expect([replay, now!.getTime() % HOUR]).toEqual([false, 0]);
    expect(previous?.getTime()).toBe(ticks[i - 1]?.now?.getTime());
    if (i) expect(now!.getTime()).toBeGreaterThan(ticks[i - 1].now!.getTime());
  }
  expect(ticks.at(-1)!.now!.getTime()).toBeLessThanOrEqual(clock.now() - lateness);
});

it('trains, gates and crowns its first version on what happened, and answers with it', async () => {
  const [first] = await control.cycles(world.model);
  expect(first).toMatchObject({ number: 1, outcome: 'promoted', version: 'v1' });
  expect((await control.status(world.model)).champion).toBe('v1');
});

it('closes live days with the predictions and labels of the day', async () => {
  const days = (await control.status(world.model)).days.filter(({ predictions }) => predictions > 0);
  const whole = days.at(1)!;
  expect(whole.predictions).toBeGreaterThan(100);
  expect(whole.labelled).toBeGreaterThan(0.9 * whole.predictions);
  await until('every answer is logged', async () => {
    const made = (await read(events.predictionsMade.topic)).map(({ data }) => PredictionsMade.fromJSON(data));
    return made.reduce((sum, { predictions }) => sum + predictions.length, 0) === answered;
  });
});

it('decides at ticks alone: every decision is dated by one, and the ledger’s chain holds', async () => {
  const ledger = await control.ledger(world.model);
  expect(ledger.entries.length).toBeGreaterThan(3);
  expect(verifyLedger(ledger)).toMatchObject({ whole: true });
  for (const { decision } of ledger.entries) expect(decision!.eventTime!.getTime() % HOUR).toBe(0);
});

it('refuses a replay', async () => {
  await expect(control.passTime(new Date(clock.now()))).rejects.toMatchObject({ code: 'CLOCK_IS_LIVE' });
});

it('has dead-lettered nothing', async () => {
  const groups = [...new Set((await house.store.bus.lag()).map(({ group }) => group))];
  const dead = (await Promise.all(groups.map((group) => house.store.bus.dead(group)))).flat();
  expect(dead.map(({ group, error }) => `${group}: ${error.message}`)).toEqual([]);
});
