import { Arm, Rollout, type ServedVersion, Stage } from '@driftloop/contracts';
import { bucketOf, pinnedRoute, route } from './routing.js';
import { prepare } from './served-models.js';
import { allInputs, graphOf, graphOfNaN, parameter, World } from './testing/world.js';

const version = (name: string): ServedVersion => ({
  version: name,
  artifact: { uri: name, sha256: name, bytes: 1 },
  specRevision: 1,
});
const canaryOf = (percent: number, rolloutId = 'r1') =>
  prepare(
    'flights',
    Rollout.fromPartial({
      revision: 1,
      rolloutId,
      stage: Stage.CANARY,
      canaryPercent: percent,
      champion: version('v1'),
      challenger: version('v2'),
      frozen: version('v1'),
    }),
  );
const entities = Array.from({ length: 10_000 }, (_, i) => `entity-${i}`);
const armsOf = (percent: number, rolloutId?: string) => {
  const rollout = canaryOf(percent, rolloutId);
  return entities.map((entity) => route(rollout, entity).arm);
};

describe('routing', () => {
  it('gives the canary its share of the entities', () => {
    // 10,000 entities at 10%: 4 standard deviations of the binomial are 120.
    const canaries = armsOf(10).filter((arm) => arm === Arm.CANARY).length;
    expect(Math.abs(canaries - 1000)).toBeLessThan(120);
    expect(armsOf(0)).not.toContain(Arm.CANARY);
    expect(armsOf(100)).not.toContain(Arm.CHAMPION);
  });

  it('keeps an entity in its arm, also as the share grows, and deals anew in another rollout', () => {
    expect(armsOf(10)).toEqual(armsOf(10));
    const [tenth, half] = [armsOf(10), armsOf(50)];
    for (const [i, arm] of tenth.entries()) if (arm === Arm.CANARY) expect(half[i]).toBe(Arm.CANARY);
    const both = armsOf(10).filter((arm, i) => arm === Arm.CANARY && armsOf10Other[i] === Arm.CANARY).length;
    // Independent deals agree on 1% of the entities: 100 ± 40.
    expect(Math.abs(both - 100)).toBeLessThan(40);
  });
  const armsOf10Other = armsOf(10, 'r2');

  it('spreads entities evenly', () => {
    const counts = Array(10).fill(0);
    for (const entity of entities) counts[Math.floor(bucketOf('r1', entity) / 10)]++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });

  it('has nobody but the champion answer in shadow and after the end', () => {
    for (const stage of [Stage.SHADOW, Stage.ENDED]) {
      const rollout = prepare('flights', { ...canaryOf(100).rollout, stage });
      expect(route(rollout, 'e')).toMatchObject({ arm: Arm.CHAMPION, answers: 0 });
    }
  });

  it('scores each version once, however many aliases it has', () => {
    const rollout = canaryOf(10);
    expect(rollout.keys).toEqual(['v1', 'v2']);
    expect(Object.fromEntries(rollout.names)).toEqual({ v1: 0, v2: 1, champion: 0, challenger: 1, frozen: 0 });
    expect(pinnedRoute('flights', rollout, 'frozen')).toMatchObject({ answers: 0, graphs: { keys: ['v1'] } });
  });
});

describe('a rollout on traffic', () => {
  let world: World;
  let v0: ServedVersion;
  beforeEach(async () => {
    world = await World.open();
    v0 = await world.serve(0.2);
  });
  afterEach(() => world.close());

  const ask = (entity: string) =>
    world.infer({ id: `p-${entity}`, inputs: allInputs(), parameters: { entity_id: parameter(entity) } });
  const askAll = async (entities: string[]) => {
    const replies = await Promise.all(entities.map(ask));
    await world.settled();
    return replies;
  };

  it('scores challenger and frozen in the shadow of every request', async () => {
    const [v1, v2] = [await world.version('v1', graphOf(0.4)), await world.version('v2', graphOf(0.6))];
    await world.rollOut(2, { champion: v0, challenger: v1, frozen: v2, stage: Stage.SHADOW });
    await world.settled();
    const replies = await askAll(entities.slice(0, 20));
    expect(new Set(replies.map(({ modelVersion }) => modelVersion))).toEqual(new Set(['v0']));
    expect(world.predictions).toHaveLength(20);
    for (const { probability, shadows, arm } of world.predictions) {
      expect({ probability, arm }).toEqual({ probability: 0.2, arm: Arm.CHAMPION });
      expect(shadows.map(({ version, probability, error }) => ({ version, probability, error }))).toEqual([
        { version: 'v1', probability: 0.4, error: '' },
        { version: 'v2', probability: 0.6, error: '' },
      ]);
    }
  });

  it('gives the canary its entities, and shadows either arm by the other', async () => {
    const challenger = await world.version('v1', graphOf(0.4));
    await world.rollOut(2, { champion: v0, challenger, stage: Stage.CANARY, canaryPercent: 10 });
    await world.settled();
    const asked = entities.slice(0, 1000);
    const replies = await askAll(asked);
    const arms = replies.map(({ parameters }) => String(parameters.arm.parameterChoice?.value));
    // 1,000 entities at 10%: 4 standard deviations are 38.
    expect(Math.abs(arms.filter((arm) => arm === 'canary').length - 100)).toBeLessThan(38);
    expect(arms).toEqual(asked.map((entity) => (bucketOf('r2', entity) < 10 ? 'canary' : 'champion')));
    for (const { arm, version, probability, shadows } of world.predictions) {
      const canary = arm === Arm.CANARY;
      expect({ version, probability }).toEqual(
        canary ? { version: 'v1', probability: 0.4 } : { version: 'v0', probability: 0.2 },
      );
      expect(shadows.map((shadow) => shadow.version)).toEqual([canary ? 'v0' : 'v1']);
    }
    const again = await askAll(asked.slice(0, 50));
    expect(again.map(({ modelVersion }) => modelVersion)).toEqual(replies.slice(0, 50).map((r) => r.modelVersion));
  });

  it('has the champion answer where the canary gives no probability, and says why', async () => {
    const challenger = await world.version('v1', graphOfNaN());
    await world.rollOut(2, { champion: v0, challenger, stage: Stage.CANARY, canaryPercent: 100 });
    await world.settled();
    const [reply] = await askAll(['e1']);
    expect(reply).toMatchObject({ modelVersion: 'v0' });
    expect(reply.outputs[0].contents?.fp64Contents).toEqual([0.2]);
    expect(reply.parameters).toMatchObject({ arm: parameter('canary'), error: parameter('the probability is NaN') });
    expect(world.predictions[0]).toMatchObject({ version: 'v0', probability: 0.2, arm: Arm.CANARY });
    expect(world.predictions[0].error).toBe('the probability is NaN');
    expect(world.predictions[0].shadows).toMatchObject([{ version: 'v1', probability: Number.NaN }]);
  });

  it('answers though a shadow gives no probability, and logs why', async () => {
    const challenger = await world.version('v1', graphOfNaN());
    await world.rollOut(2, { champion: v0, challenger, stage: Stage.SHADOW });
    await world.settled();
    await askAll(['e1']);
    expect(world.predictions[0]).toMatchObject({ version: 'v0', error: '' });
    expect(world.predictions[0].shadows[0].error).toBe('the probability is NaN');
  });

  it('refuses what the champion gives no probability for', async () => {
    await world.rollOut(2, { champion: await world.version('v1', graphOfNaN()) });
    await world.settled();
    const refusal = await world.refused({ inputs: allInputs() });
    expect(refusal).toMatchObject({ code: 'SCORING_FAILED', retriable: false });
    expect(refusal.message).toBe(
      'version v1 gave no answer: the probability is NaN; roll back, or name another version',
    );
    expect(world.predictions).toEqual([]);
  });

  it('answers all rows of a request by one arm', async () => {
    const challenger = await world.version('v1', graphOf(0.4));
    await world.rollOut(2, { champion: v0, challenger, stage: Stage.CANARY, canaryPercent: 50 });
    await world.settled();
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) => world.infer({ id: `r${i}`, inputs: allInputs(10) })),
    );
    for (const { modelVersion, outputs } of replies)
      expect(new Set(outputs[0].contents?.fp64Contents)).toEqual(new Set([modelVersion === 'v0' ? 0.2 : 0.4]));
    expect(new Set(replies.map(({ modelVersion }) => modelVersion)).size).toBe(2);
  });
});
