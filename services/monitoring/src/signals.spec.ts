import { events } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { DocumentsOf, day, type Parcel, specText, start } from './testing/world.js';

const quiet = { retraining: { any: [{ growth: { atLeast: 1000 } }] } };

describe('the signals', () => {
  let world: LoopWorld;
  afterEach(() => world.close());

  const liveDays = async (from: number, count: number, answers: Parameters<LoopWorld['live']>[1] = {}) => {
    for (let i = 0; i < count; i++) await world.live(from + i * day, answers);
  };

  it('say nothing while nothing moves', async () => {
    world = await openLoop({ spec: specText(quiet) });
    await liveDays(start, 16);
    expect(await world.heard(events.driftDetected)).toEqual([]);
    expect(await world.heard(events.performanceDegraded)).toEqual([]);
    const { signals } = await world.status();
    const tests = signals.map(({ test, subject }) => `${test} ${subject}`);
    const psi = ['psi prediction', 'psi weight', 'psi depot'];
    expect(tests).toEqual(['growth v1', 'calibration_gap v1', 'movements v1', ...psi]);
    expect(signals[2]).toMatchObject({ statistic: 0, holds: false, days: 14 });
    // 15 closed days of 40 over 100 labels trained on
    expect(signals[0]).toMatchObject({ statistic: 6, rows: 600 });
  });

  it('test a window once, however often it is looked at', async () => {
    world = await openLoop({ spec: specText({ retraining: { ...quiet.retraining, check: '6h' } }) });
    await liveDays(start, 16);
    const watch = await world.service.app.get(DocumentsOf.loop).watch('main/parcels');
    // of 15 closed days two windows of 14
    expect(watch!.drift!.budget).toEqual({ tests: 2, discoveries: [] });
  });

  it('tell a drift once, when it crosses, with the features that moved, and trigger nothing', async () => {
    world = await openLoop({ spec: specText(quiet) });
    await liveDays(start, 8);
    const heavy = (parcel: { weight: number }) => ({ ...parcel, weight: parcel.weight + 5 }) as never;
    await liveDays(start + 8 * day, 14, { parcels: heavy });
    const told = await world.heard(events.driftDetected);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ champion: 'v1', decision: { kind: 'signal', outcome: 'drift' } });
    expect(told[0].decision!.evidence.map(({ subject }) => subject)).toEqual(['weight']);
    const [psi] = told[0].decision!.evidence;
    expect(psi.statistic).toBeGreaterThan(psi.threshold);
    expect(told[0].movements.map(({ feature, slice }) => [feature, slice])).toEqual([
      ['weight', ''],
      ['weight', 'depot=north'],
    ]);
    expect(told[0].movements[0]).toMatchObject({ slice: '', moved: true });
    expect(told[0].movements[0].qValue).toBeLessThan(0.05);
    expect(told[0].movements[0].present - told[0].movements[0].reference).toBeGreaterThan(1);
    expect(await world.requested()).toEqual([]);
    const report = await call(world.client, 'getDrift', { model: 'parcels', limit: 1 });
    expect(report).toMatchObject({ champion: 'v1', days: 14, tests: 4, moved: 2, rate: 0.05 });
    expect(report.movements).toMatchObject([{ feature: 'weight', moved: true, note: 'since 2013-01-09' }]);
  });

  it('tell again after a drift has gone and come back', async () => {
    world = await openLoop({ spec: specText({ ...quiet, monitoring: { window: '4d' } }) });
    const heavy = (parcel: { weight: number }) => ({ ...parcel, weight: parcel.weight + 5 }) as never;
    await liveDays(start, 5);
    await liveDays(start + 5 * day, 5, { parcels: heavy });
    await liveDays(start + 10 * day, 6);
    await liveDays(start + 16 * day, 5, { parcels: heavy });
    expect(await world.heard(events.driftDetected)).toHaveLength(2);
  });

  it('tell when the champion promises too little', async () => {
    world = await openLoop({ spec: specText(quiet) });
    await liveDays(start, 10, { p: ({ p }) => p / 2 });
    const [told] = await world.heard(events.performanceDegraded);
    expect(told.decision!.evidence[0]).toMatchObject({ test: 'calibration_gap', threshold: 0.05, holds: true });
    expect(told.decision!.reasons[0]).toMatch(/promises too little/);
  });

  it('tell with a fall in performance what moved, the share of the loss first, and in a retraining’s evidence', async () => {
    const any = [{ calibrationGap: { atLeast: 0.05, z: 2 } }];
    world = await openLoop({ spec: specText({ retraining: { any } }) });
    await world.trained(start - day, '');
    await liveDays(start, 14);
    const heavy = (parcel: Parcel) => ({ ...parcel, weight: parcel.weight + 5 });
    await liveDays(start + 14 * day, 10, { parcels: heavy as never, p: ({ weight, p }) => (weight > 8 ? p / 4 : p) });
    const told = (await world.heard(events.performanceDegraded)).at(-1)!;
    const [first] = told.movements;
    expect(first).toMatchObject({ feature: 'weight', slice: '', moved: true });
    expect(first.lossShare).toBeGreaterThan(0.5);
    expect(told.movements.every(({ moved, lossShare }) => moved && lossShare <= first.lossShare)).toBe(true);
    expect(told.movements.map(({ slice }) => slice)).toContain('depot=north');
    const [{ decision }] = await world.requested();
    const leading = decision!.evidence.filter(({ test }) => test === 'movement');
    expect(leading.map(({ subject }) => subject)).toContain('weight');
    expect(leading[0]).toMatchObject({ threshold: 0.25, days: 14 });
    // what only diagnosis reads is apart from what every check walks over
    const days = world.service.app.get(DocumentsOf.days);
    const [newest] = await days.last('main/parcels', 1);
    expect(Object.keys(newest.counts!)).toEqual(['version', 'rows', 'bins']);
    expect(await days.details.countDocuments()).toBe(23);
    expect(decision!.reasons.join()).not.toContain('weight');
  });

  it('are of the earlier champion until the new one has been checked, and say so', async () => {
    world = await openLoop({ spec: specText(quiet) });
    await liveDays(start, 5);
    expect(await world.status()).toMatchObject({ champion: 'v1', signalsOf: 'v1' });
    await world.promote(start + 5 * day, 'v2', { cutoff: start, trained: 200, cycleId: 'c1' });
    await world.roll(start + 5 * day, { champion: { version: 'v2' } });
    expect(await world.status()).toMatchObject({ champion: 'v2', signalsOf: 'v1', signals: [{ subject: 'v1' }, {}] });
    await liveDays(start + 5 * day, 2, { version: 'v2' });
    expect(await world.status()).toMatchObject({ champion: 'v2', signalsOf: 'v2' });
  });

  it('measure the loss of a new champion against its twin’s, from its days in shadow on', async () => {
    world = await openLoop({ spec: specText(quiet) });
    await world.trained(start, 'c1');
    await liveDays(start, 4, { version: 'v1', shadows: { v2: ({ p }) => p } });
    await world.promote(start + 4 * day, 'v2', { cutoff: start, trained: 200, cycleId: 'c1' });
    await world.roll(start + 4 * day, { champion: { version: 'v2' } });
    await liveDays(start + 4 * day, 8, { version: 'v2', p: ({ p }) => 1 - p });
    const { signals } = await world.status();
    const performance = signals.find(({ test }) => test === 'performance')!;
    expect(performance).toMatchObject({ subject: 'v2', holds: true });
    const told = await world.heard(events.performanceDegraded);
    expect(told.some(({ decision }) => decision!.evidence.some(({ test }) => test === 'performance'))).toBe(true);
  });
});
