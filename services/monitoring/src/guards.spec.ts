/** What holds a signal back, each guard alone. Cooldown, fresh labels: policy.spec.ts; the breaker: breaker.spec.ts. */
import { events } from '@driftloop/contracts';
import { around, type LoopWorld, openLoop } from './testing/loop-world.js';
import { day, hour, openWorld, parcelsOf, specText, start, type World } from './testing/world.js';

const half = { p: ({ p }: { p: number }) => p / 2 };

describe('two signals at once', () => {
  let world: LoopWorld;
  afterEach(() => world.close());

  it('open one cycle, by the first that is declared, with the evidence of both', async () => {
    const any = [{ calibrationGap: { atLeast: 0.05, z: 2 } }, { growth: { atLeast: 0.5 } }];
    world = await openLoop({ spec: specText({ retraining: { any, deadlines: { training: '30d' } } }) });
    for (let i = 0; i < 14; i++) await world.live(start + i * day, half);
    const requests = await world.requested();
    expect(requests).toHaveLength(1);
    const holding = requests[0].decision!.evidence.filter(({ holds }) => holds).map(({ test }) => test);
    expect(holding).toEqual(['calibrationGap', 'growth']);
    expect(await world.cycles()).toMatchObject([{ signal: 'calibrationGap' }]);
  });

  it('are told once each, whatever opens', async () => {
    const any = [{ growth: { atLeast: 0.5 } }];
    world = await openLoop({ spec: specText({ retraining: { any, deadlines: { training: '30d' } } }) });
    for (let i = 0; i < 14; i++) await world.live(start + i * day, half);
    expect(await world.heard(events.performanceDegraded)).toHaveLength(1);
    expect(await world.requested()).toHaveLength(1);
  });
});

describe('the daily budget', () => {
  let world: World;
  afterEach(() => world.close());

  /** A bootstrap, its version promoted two hours later, and ticks on; resolves to when cycles opened, in hours. */
  const openings = async (dailyBudget: number) => {
    const retraining = { any: [{ growth: { atLeast: 0.01 } }], cooldown: '1h', minFreshLabels: 20, dailyBudget };
    world = await openWorld({ spec: specText({ retraining }) });
    const loop = around(world);
    await world.declare(start - day);
    await world.roll(start - day, { champion: { version: 'v0' } });
    for (let i = 0; i < 8; i++) await world.label(parcelsOf(start + i * day, 30));
    const now = start + 5 * day + 3 * hour;
    await world.tick(now);
    const [{ cycleId }] = await loop.requested();
    await loop.promote(now + hour, 'v1', { cutoff: start + 3 * day, trained: 100, cycleId });
    await world.roll(now + hour, { champion: { version: 'v1' } });
    await world.pass(now, start + 7 * day, 3 * hour);
    return (await loop.requested()).map(({ knowledgeCutoff }) => (knowledgeCutoff!.getTime() - start) / hour);
  };

  it.each([
    [1, [123, 156]],
    [2, [123, 132]],
  ])('of %d opens no more in a day of event time', async (budget, opened) => {
    expect((await openings(budget)).slice(0, 2)).toEqual(opened);
  });
});

describe('an open cycle', () => {
  let world: LoopWorld;
  afterEach(() => world.close());

  it('is the only one of its model, whatever signals come, until it is closed', async () => {
    const any = [{ growth: { atLeast: 0.1 } }];
    const retraining = { any, cooldown: '1h', minFreshLabels: 20, deadlines: { training: '12d' } };
    world = await openLoop({ spec: specText({ retraining }) });
    const { request, next } = await world.untilOpened(start);
    for (let i = 0; i < 10; i++) await world.live(next + i * day);
    expect(await world.requested()).toHaveLength(1);
    await world.refuse(next + 10 * day - 13 * hour, request.cycleId, 'v2');
    await world.live(next + 10 * day);
    expect(await world.requested()).toHaveLength(2);
  });
});

describe('minimum fresh labels', () => {
  let world: LoopWorld;
  afterEach(() => world.close());

  it('hold back a signal that holds, and say so by not opening', async () => {
    const any = [{ growth: { atLeast: 0.1 } }];
    world = await openLoop({ spec: specText({ retraining: { any, cooldown: '1h', minFreshLabels: 230 } }) });
    const { request } = await world.untilOpened(start);
    // growth of .1 is reached with the first closed day of 40, 230 with the sixth
    expect(request.decision!.evidence[0]).toMatchObject({ test: 'growth', statistic: 2.4, rows: 240 });
  });
});
