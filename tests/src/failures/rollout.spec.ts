/**
 * Rollouts that go wrong after the gate: bytes that cannot be loaded, a canary that nobody asks. The challenger is
 * withdrawn with the reason, and the champion answers everything.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { DAY, parcelsWorld, START } from '../worlds/parcels.js';
import { type Failing, lenient, openFailing } from './failing.js';

let house: Failing;
afterEach(() => house?.close());

/** Opens the world and plays it until v2 is registered, and nothing has been done with it yet. */
async function untilRegistered() {
  house = await openFailing(parcelsWorld({ days: 30, spec: lenient }), START + 9 * DAY);
  const { versions } = await house.until(({ versions }) =>
    versions.some(({ version, state }) => version === 'v2' && state === 'registered'),
  );
  return versions.find(({ version }) => version === 'v2')!;
}

/** Every question that was asked has an answer, and none of a version that was never champion. */
function answeredBy(): string[] {
  const answers = [...house.diary().answers().values()];
  const asked = house.world.happenings.filter((one) => one.kind === 'question' && one.at <= house.now()).length;
  expect(answers).toHaveLength(asked);
  return [...new Set(answers.map(({ version }) => version))].sort();
}

it.each<[string, (path: string) => void, RegExp]>([
  ['are others', (path) => writeFileSync(path, 'not a graph'), /MODEL_CORRUPT.*they were changed/s],
  ['are gone', (path) => rmSync(path), /MODEL_CORRUPT.*there is no object/s],
])(
  'a challenger whose bytes %s is rolled back, and no question fails',
  async (_what, spoil, reason) => {
    const { released } = await untilRegistered();
    spoil(await house.house.store.objects.getFile(released!.uri));
    const { last } = await house.until(({ cycles }) => cycles[1].outcome !== '', 6);
    expect(last).toMatchObject({ version: 'v2', outcome: 'rolled_back', reasons: [expect.stringMatching(reason)] });
    await house.to(house.now() + DAY);
    expect(answeredBy()).toEqual(['v1']);
    const { rollout } = await house.control.rollout(house.world.model);
    expect(rollout).toMatchObject({ champion: { version: 'v1' }, challenger: undefined });
  },
  180_000,
);

it('a canary that nobody asks is neither promoted nor left open: it is withdrawn at its deadline, with the reason', async () => {
  const spec = [
    ...lenient,
    ['percent: 20', 'percent: 0.000001'],
    ['    cooldown: 3d', '    cooldown: 3d\n    deadlines: { canary: 2d }'],
  ] as const;
  house = await openFailing(parcelsWorld({ days: 32, spec }), START + 9 * DAY);
  const { last } = await house.until(({ cycles }) => cycles[1]?.stage === 'canary', 20);
  const began = last.deadline!.getTime() - 2 * DAY;
  const { cycles } = await house.until(({ cycles: found }) => found[1].outcome !== '', 4);
  expect(cycles[1]).toMatchObject({ outcome: 'expired', closed: new Date(began + 2 * DAY) });
  expect(cycles[1].reasons).toEqual([
    `canary was not over by ${new Date(began + 2 * DAY).toISOString()}`,
    '0 canary requests, fewer than 10',
  ]);
  await house.to(house.now() + DAY);
  expect(answeredBy()).toEqual(['v1']);
  const { rollout } = await house.control.rollout(house.world.model);
  expect(rollout).toMatchObject({ champion: { version: 'v1' }, challenger: undefined, stage: 'STAGE_ENDED' });
}, 180_000);
