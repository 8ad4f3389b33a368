import { events } from '@driftloop/contracts';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { day, hour, openWorld, parcelsOf, specText, start, type World } from './testing/world.js';

describe('the trigger policy', () => {
  let world: LoopWorld | World;
  afterEach(() => world.close());

  it('opens one cycle when the labels have grown enough, and only one', async () => {
    const deadlines = { training: '30d' };
    const loop = await openLoop({ spec: specText({ retraining: { minFreshLabels: 100, deadlines } }) });
    world = loop;
    const { request, next } = await loop.untilOpened(start);
    for (let at = next; at < next + 12 * day; at += day) await loop.live(at);
    expect(await loop.requested()).toHaveLength(1);
    expect(request).toMatchObject({ champion: 'v1', purpose: 'retrain', attempt: 1, rolloutRevision: 1 });
    expect(request.decision).toMatchObject({ kind: 'cycle.opened', outcome: 'retrain' });
    const growth = request.decision!.evidence.find(({ test }) => test === 'growth')!;
    // it had grown enough after two days of 40, but eight days must pass after the champion's training
    expect(growth).toMatchObject({ holds: true, threshold: 0.5, statistic: 3.2, rows: 320 });
  });

  it('opens it when a cohort closes, with all that is known by then and the declared duration', async () => {
    const loop = await openLoop();
    world = loop;
    const { request } = await loop.untilOpened(start);
    const closing = start + 8 * day + 12 * hour;
    expect(request.knowledgeCutoff).toEqual(new Date(closing));
    expect(request.due).toEqual(new Date(closing + 6 * hour));
    expect(await loop.cycles()).toMatchObject([{ stage: 'training', number: 1, signal: 'growth', champion: 'v1' }]);
  });

  it('waits for the cooldown and for fresh labels before it tries again', async () => {
    const loop = await openLoop({ spec: specText({ retraining: { minFreshLabels: 100, cooldown: '5d' } }) });
    world = loop;
    const { request, next } = await loop.untilOpened(start);
    await loop.trained(next - 6 * hour, request.cycleId);
    await loop.refuse(next - 6 * hour, request.cycleId, 'v2');
    const again = await loop.untilOpened(next);
    const gap = again.request.knowledgeCutoff!.getTime() - request.knowledgeCutoff!.getTime();
    expect(gap).toBe(5 * day);
    expect(again.request.attempt).toBe(2);
    expect(again.request.cycleId).not.toBe(request.cycleId);
  });

  it('waits longer than the cooldown where a retry would see few fresh labels', async () => {
    const loop = await openLoop({ spec: specText({ retraining: { minFreshLabels: 300, cooldown: '2d' } }) });
    world = loop;
    const { request, next } = await loop.untilOpened(start);
    await loop.refuse(next - 6 * hour, request.cycleId, 'v2');
    const again = await loop.untilOpened(next);
    const gap = again.request.knowledgeCutoff!.getTime() - request.knowledgeCutoff!.getTime();
    // 300 labels known after the cutoff in closed days: the day that straddles it gives some, seven more the rest
    expect(gap).toBe(8 * day);
  });

  it('stops after so many cycles without promotion', async () => {
    const retraining = { minFreshLabels: 50, cooldown: '1d', breakerAfter: 2 };
    const loop = await openLoop({ spec: specText({ retraining }) });
    world = loop;
    let at = start;
    for (let i = 0; i < 2; i++) {
      const { request, next } = await loop.untilOpened(at);
      await loop.refuse(next - 6 * hour, request.cycleId, `v${i + 2}`);
      at = next;
    }
    for (let i = 0; i < 10; i++) await loop.live(at + i * day);
    expect(await loop.requested()).toHaveLength(2);
    // a changed spec sets the breaker back
    await loop.declare(at + 9 * day, specText({ retraining: { ...retraining, minFreshLabels: 51 } }), 2);
    for (let i = 10; i < 12; i++) await loop.live(at + i * day);
    expect(await loop.requested()).toHaveLength(3);
  });

  it('opens on a calibration gap with enough evidence', async () => {
    const any = [{ calibrationGap: { atLeast: 0.05, z: 2 } }];
    const loop = await openLoop({ spec: specText({ retraining: { any } }) });
    world = loop;
    for (let at = start; at < start + 8 * day; at += day) await loop.live(at);
    expect(await loop.requested()).toEqual([]);
    const { request } = await loop.untilOpened(start + 8 * day, { p: ({ p }) => p / 2 });
    expect(request.decision!.evidence[0]).toMatchObject({ test: 'calibrationGap', holds: true, threshold: 0.05 });
  });

  it('bootstraps a prior at the first tick at which there is enough to learn from, with no declared duration', async () => {
    const bare = await openWorld();
    world = bare;
    await bare.declare(start - day);
    await bare.roll(start - day, { champion: { version: 'v0' } });
    for (let i = 0; i < 5; i++) await bare.label(parcelsOf(start + i * day, 30));
    const now = start + 5 * day + 3 * hour;
    await bare.tick(now);
    const [request] = await bare.heard(events.retrainingRequested);
    expect(request).toMatchObject({ purpose: 'bootstrap', champion: 'v0', attempt: 1 });
    expect(request.due).toEqual(new Date(now + 1));
    expect(request.decision!.evidence).toMatchObject([{ test: 'bootstrap', statistic: 150, holds: true }]);
    await bare.tick(now + hour);
    expect(await bare.heard(events.retrainingRequested)).toHaveLength(1);
  });

  it('does not bootstrap from too few labels', async () => {
    const bare = await openWorld();
    world = bare;
    await bare.declare(start - day);
    await bare.roll(start - day, { champion: { version: 'v0' } });
    await bare.label(parcelsOf(start, 99));
    await bare.pass(start, start + 3 * day);
    expect(await bare.cycles()).toEqual([]);
  });
});
