/**
 * Whatever the order, the speed and the repetitions of what is heard and told, the loop decides the same.
 */
import { differenceOf } from '../crash/difference.js';
import type { Outcome } from '../crash/outcome.js';
import { openWorld, truth } from '../worlds/short.js';
import { shuffledArrival } from './arrival.js';
import { playOut } from './play-out.js';

const world = { ...openWorld(), truth: truth() };
let quiet: Outcome;

beforeAll(async () => {
  quiet = await playOut(world);
}, 120_000);

it('decides something to compare: a first model, and a renewal through shadow and canary', () => {
  expect(quiet.cycles).toMatchObject([{ outcome: 'promoted' }, { outcome: 'promoted' }, {}]);
  expect(quiet.counted).toBe(world.happenings.filter(({ kind }) => kind === 'question').length);
});

it('decides the same where a third of all events is heard again, some from further back', async () => {
  const found = await playOut(world, { bus: { seed: 1, repeats: 0.33 } });
  expect(differenceOf(quiet, found)).toBeUndefined();
}, 180_000);

it('decides the same where listeners are slow, each in its own way', async () => {
  const found = await playOut(world, { bus: { seed: 2, delayMs: 40 }, inFlight: 3, batchSize: 1000 });
  expect(differenceOf(quiet, found)).toBeUndefined();
}, 180_000);

it('decides the same where what is known arrives shuffled, in other batches, and some of it twice', async () => {
  const found = await playOut(world, { arrival: shuffledArrival(3, 0.1), inFlight: 200, batchSize: 17 });
  expect(differenceOf(quiet, found)).toBeUndefined();
}, 180_000);
