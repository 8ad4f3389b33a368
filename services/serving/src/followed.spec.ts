/** What serving tells of the rollouts that it follows, for the cycle's trace and for whoever asks who answers. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events, RolloutFollowed, type ServedVersion, Stage } from '@driftloop/contracts';
import { cycleTraceId } from '@driftloop/service';
import { graphOf, World } from './testing/world.js';

let world: World;
let v0: ServedVersion;
const home = mkdtempSync(join(tmpdir(), 'driftloop-followed-'));
beforeEach(async () => {
  world = await World.open();
  v0 = await world.serve(0.2);
  await world.settled();
});
afterEach(() => world.close());
afterAll(() => rmSync(home, { recursive: true, force: true }));

const followed = async (of = world): Promise<RolloutFollowed[]> => {
  await of.settled();
  const { bus } = of.service.ground;
  return (await bus.read(events.rolloutFollowed.topic, 0, 0, 100)).map(({ data }) => RolloutFollowed.fromJSON(data));
};

it('tells once a revision that it follows, with who answers', async () => {
  const v1 = await world.version('v1', graphOf(0.3));
  const trial = { champion: v0, challenger: v1, stage: Stage.SHADOW, cycleId: 'c1' };
  await world.rollOut(2, trial);
  await world.rollOut(2, trial);
  const told = await followed();
  expect(told.map(({ revision, version, replica }) => [revision, version, replica])).toEqual([
    [1, 'v0', 'embedded'],
    [2, 'v0', 'embedded'],
  ]);
  expect(told[1]).toMatchObject({ cycleId: 'c1', rolloutId: 'r2', stage: Stage.SHADOW });
});

it('makes it a step of the cycle, below the step of the registry that the revision names', async () => {
  const v1 = await world.version('v1', graphOf(0.3));
  await world.rollOut(2, { champion: v0, challenger: v1, stage: Stage.SHADOW, cycleId: 'c1' });
  await world.rollOut(3, { champion: v1, cycleId: 'c1' });
  const [declared, shadow, promoted] = await followed();
  expect(declared.span).toBeUndefined();
  expect(shadow.span).toMatchObject({
    ...{ traceId: cycleTraceId('c1'), name: 'rollout followed', service: 'serving', error: '' },
    attributes: { 'driftloop.loaded': 'v0 v1', 'driftloop.rollout.revision': '2', 'driftloop.version': 'v1' },
  });
  expect(promoted.span!.parentSpanId).not.toBe(shadow.span!.parentSpanId);
  expect(promoted.span!.spanId).not.toBe(shadow.span!.spanId);
});

it('makes no step of a change that only freezes', async () => {
  await world.rollOut(2, { champion: v0, cycleId: 'c1', held: true });
  const told = await followed();
  expect(told[1]).toMatchObject({ revision: 2, version: 'v0', cycleId: '', span: undefined });
});

it('says which revision it cannot follow, and who goes on answering', async () => {
  const broken = await world.version('v1', Buffer.from('not a graph'));
  await world.rollOut(2, { champion: broken, cycleId: 'c1' });
  await world.settled();
  expect(world.failures).toMatchObject([
    {
      ...{ revision: 2, answering: 'v0', version: 'v1' },
      span: { name: 'rollout failed', error: expect.stringMatching(/^MODEL_CORRUPT: /), service: 'serving' },
    },
  ]);
  expect((await followed()).map(({ revision }) => revision)).toEqual([1]);
});

it('tells nothing again after a restart', async () => {
  const first = await World.open({ home });
  await first.serve(0.2);
  expect(await followed(first)).toHaveLength(1);
  await first.close();
  const second = await World.open({ home });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await followed(second)).toHaveLength(1);
  await second.close();
});
