/**
 * A bad candidate through the real path: for ten days a source reports every outcome the wrong way round. What is trained
 * on them is bad, and the clean days after them show it, to the gate or else to the judge.
 */
import type { Cycle } from '@driftloop/contracts';
import { score } from '@driftloop/embedded';
import { DAY, type ParcelsOptions, parcelsWorld, START } from '../worlds/parcels.js';
import { openPlayed, type Played } from './played.js';

const poisoned = (spec: ParcelsOptions['spec'] = []) =>
  parcelsWorld({
    days: 29,
    perDay: 160,
    flipped: [9, 19],
    // Only growth opens a cycle here, and not before four clean days can be held back from training.
    spec: [
      [
        'any: [{ growth: { atLeast: 1 } }, { calibrationGap: { atLeast: 0.08, z: 2.5 } }]',
        'any: [{ growth: { atLeast: 1.55 } }]',
      ],
      ['minDays: 3', 'minDays: 4'],
      ...spec,
    ],
  });

let played: Played;
beforeEach(async () => {
  played = await openPlayed();
});
afterEach(() => played?.close());

async function cyclesOf(world: ReturnType<typeof poisoned>, until: number): Promise<Cycle[]> {
  await played.play(world, until);
  return played.control.cycles(world.model);
}

it('is refused by the gate on the clean days, and is never asked', async () => {
  const world = poisoned();
  const [first, second] = await cyclesOf(world, START + 25 * DAY);
  expect(first).toMatchObject({ signal: 'bootstrap', outcome: 'promoted', version: 'v1' });
  expect(second).toMatchObject({ signal: 'growth', champion: 'v1', version: 'v2', outcome: 'refused' });
  const refused = (await played.control.versions(world.model)).find(({ version }) => version === 'v2')!;
  expect(refused.state).toBe('refused');
  const deciding = refused.gate!.evidence.find(({ test, holds }) => test.startsWith('non-inferior') && !holds)!;
  expect(deciding.statistic).toBeLessThan(deciding.threshold);
  expect(deciding).toMatchObject({ days: 4, rows: 640 });
  const { rollout, history } = await played.control.rollout(world.model);
  expect(rollout!.champion!.version).toBe('v1');
  expect([rollout!, ...history].map(({ challenger }) => challenger?.version).filter(Boolean)).toEqual([]);
}, 120_000);

it('is rolled back by the judge where the gate is off, and never answers anybody', async () => {
  const world = poisoned([['gate: { enabled: true', 'gate: { enabled: false']]);
  const [, second] = await cyclesOf(world, START + 29 * DAY);
  expect(second).toMatchObject({ champion: 'v1', version: 'v2', outcome: 'rolled_back' });
  expect(second.reasons.join()).toMatch(/harm|worse/);
  const judged = second.steps.find(
    ({ decision }) => decision?.outcome === 'roll_back' || decision?.kind === 'judgement',
  );
  expect(judged?.decision?.evidence.some(({ holds }) => holds)).toBe(true);
  expect((await played.control.rollout(world.model)).rollout!.champion!.version).toBe('v1');
  const versions = new Set([...played.diary().answers().values()].map(({ version }) => version));
  expect([...versions]).toEqual(['v1']);
  expect(score(played.diary(), world.truth, 'v2').departures).toBeGreaterThan(0);
}, 120_000);
