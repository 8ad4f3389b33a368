import { events, FeaturesIngested, Stage } from '@driftloop/contracts';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { day, hour, parcelsOf, specText, start } from './testing/world.js';

const quiet = { retraining: { any: [{ growth: { atLeast: 1000 } }] } };

describe('the silence of a source', () => {
  let world: LoopWorld;
  afterEach(() => world.close());

  const ingested = async (watermark: number, source = 'plan') => {
    const told = { ...world.key, source, rows: 1, watermark: new Date(watermark) };
    await world.tell(events.featuresIngested, FeaturesIngested.fromPartial(told), watermark);
  };
  const said = async () =>
    (await world.heard(events.silenceChanged)).map(({ source, silent, decision }) => ({
      ...{ source, silent, kind: decision!.kind, outcome: decision!.outcome },
      ...{ hours: decision!.evidence[0].statistic, at: (decision!.eventTime!.getTime() - start) / hour },
    }));

  it('is told once when it begins, at the tick that finds it, and once when it ends', async () => {
    world = await openLoop({ spec: specText(quiet) });
    await ingested(start);
    await world.pass(start, start + 3 * hour, hour);
    await ingested(start + 3 * hour);
    // silence 6 h, and watermarks are kept to three hours
    await world.pass(start + 3 * hour, start + 12 * hour, hour);
    expect(await said()).toEqual([]);
    await world.pass(start + 12 * hour, start + 30 * hour, hour);
    const begun = { source: 'plan', silent: true, kind: 'silence', outcome: 'silent', hours: 10, at: 13 };
    expect(await said()).toEqual([begun]);
    expect((await world.status()).attention).toEqual(['plan: silent since 2013-01-01T22:00:00.000Z']);
    await ingested(start + 30 * hour);
    await world.pass(start + 30 * hour, start + 33 * hour, hour);
    expect(await said()).toEqual([
      begun,
      { source: 'plan', silent: false, kind: 'silence', outcome: 'returned', hours: 1, at: 31 },
    ]);
    expect((await world.status()).attention).toEqual([]);
    const kinds = (await world.ledger()).entries.map(({ decision }) => `${decision!.kind} ${decision!.outcome}`);
    expect(kinds.filter((kind) => kind.startsWith('silence'))).toEqual(['silence silent', 'silence returned']);
  });

  it('is of each source alone, and of none that never spoke', async () => {
    world = await openLoop({ spec: specText(quiet) });
    await ingested(start, 'weather');
    for (let at = start; at < start + day; at += 3 * hour) {
      await ingested(at, 'plan');
      await world.pass(at, at + 3 * hour, hour);
    }
    expect((await said()).map(({ source }) => source)).toEqual(['weather']);
  });

  it('is found again once a person has taken back a watermark that lay far ahead', async () => {
    world = await openLoop({ spec: specText(quiet) });
    await ingested(start);
    await ingested(Date.UTC(2199, 11, 31));
    await world.pass(start, start + 15 * hour, hour);
    expect(await said()).toEqual([]);
    const [attention, ...rest] = (await world.status()).attention;
    expect(attention).toMatch(/^plan: has promised all up to 2199-12-31T.*`driftloop watermarks withdraw`\)$/);
    expect(rest).toEqual([]);
    const back = { ...world.key, source: 'plan', watermark: new Date(start), withdrawn: true, note: 'a wrong clock' };
    await world.tell(events.featuresIngested, FeaturesIngested.fromPartial(back), start, 'taken-back');
    await world.pass(start + 15 * hour, start + 16 * hour, hour);
    expect(await said()).toMatchObject([{ source: 'plan', silent: true, hours: 16 }]);
  });

  it('is of none that has spoken by mistake alone', async () => {
    world = await openLoop({ spec: specText(quiet) });
    await ingested(start);
    const back = { ...world.key, source: 'plan', withdrawn: true };
    await world.tell(events.featuresIngested, FeaturesIngested.fromPartial(back), start, 'taken-back');
    await world.pass(start, start + 15 * hour, hour);
    expect(await said()).toEqual([]);
  });

  it('is told in a jump of the clock as well, once', async () => {
    world = await openLoop({ spec: specText(quiet) });
    await ingested(start);
    await world.tick(start + hour);
    await world.tick(start + 20 * day);
    await world.tick(start + 20 * day);
    await world.tick(start + 40 * day);
    expect(await said()).toMatchObject([{ silent: true, hours: 480 }]);
  });
});

describe('labels that no longer come', () => {
  let world: LoopWorld;
  afterEach(() => world.close());

  it('are told when a day closes without them, stop growth, and are told when they come again', async () => {
    world = await openLoop({ spec: specText(quiet) });
    for (let i = 0; i < 3; i++) await world.live(start + i * day);
    const grown = (await world.status()).freshLabels;
    for (let i = 3; i < 6; i++) {
      const parcels = parcelsOf(start + i * day, 40);
      await world.ask(parcels);
      await world.label(parcels.slice(0, 8));
      await world.pass(start + i * day - 12 * hour, start + i * day + 12 * hour);
    }
    const [told, again] = await world.heard(events.silenceChanged);
    expect(told).toMatchObject({ source: 'labels', silent: true });
    expect(told.decision!.evidence).toMatchObject([
      { test: 'unlabelled', statistic: 0.8, threshold: 0.5, rows: 40, days: 1, holds: true },
    ]);
    expect(again).toBeUndefined();
    expect((await world.status()).attention).toEqual([expect.stringMatching(/^labels: silent since/)]);
    // the day before the first of them, and eight labels each of the two that are closed
    expect((await world.status()).freshLabels).toBe(grown + 40 + 16);
    for (let i = 6; i < 9; i++) await world.live(start + i * day);
    expect((await world.heard(events.silenceChanged)).map(({ silent }) => silent)).toEqual([true, false]);
    expect((await world.status()).attention).toEqual([]);
  });

  it('leave a day in no verdict and in no signal when only the first few have come', async () => {
    const any = [{ calibrationGap: { atLeast: 0.05, z: 2 } }];
    world = await openLoop({ spec: specText({ retraining: { any } }) });
    const shadows = { v2: ({ p }: { p: number }) => 1 - p };
    const { cycleId, next } = await untilShadow(world);
    expect(cycleId).not.toBe('');
    // of each day those alone that came true
    for (let i = 0; i < 9; i++) {
      const parcels = parcelsOf(next + i * day, 160);
      await world.ask(parcels, { shadows });
      await world.label(parcels.filter(({ y }) => y).slice(0, 40));
      await world.pass(next + i * day - 12 * hour, next + i * day + 12 * hour);
    }
    expect(await world.judged()).toEqual([]);
    expect(await world.heard(events.performanceDegraded)).toHaveLength(1); // that of before
    const gap = (await world.status()).signals.find(({ test }) => test === 'calibration_gap')!;
    expect(gap.days).toBeLessThan(7);
  });
});

/** Opened by a gap that is real, and put in shadow. */
async function untilShadow(world: LoopWorld) {
  const { request, next } = await world.untilOpened(start, { p: ({ p }) => p / 2 });
  const now = next - 12 * hour;
  await world.trained(now, request.cycleId);
  await world.approve(now, request.cycleId, 'v2');
  await world.trial(now, request.cycleId, Stage.SHADOW);
  await world.tick(now + hour);
  return { cycleId: request.cycleId, next: next + day };
}
