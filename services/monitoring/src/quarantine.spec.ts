/** Days set aside: found as they close, in no verdict and no count, left out of trainings, let in by a person's word. */

import { entityBucket, events, Label, LabelsAdded, labelBuckets, Stage, Verdict } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { day, hour, type Parcel, parcelsOf, specText, start } from './testing/world.js';

const count = 200;
const spec = (quarantine: object = {}, retraining: object = {}) => {
  const text = JSON.parse(specText({ retraining: { any: [{ growth: { atLeast: 1000 } }], ...retraining } }));
  text.spec.quarantine = { ...text.spec.quarantine, days: 5, minRows: 150, ...quarantine };
  return JSON.stringify(text);
};
const flip = (parcel: Parcel): Parcel => ({ ...parcel, y: (1 - parcel.y) as 0 | 1 });

let world: LoopWorld;
const open = async (text = spec()) => {
  world = await openLoop({ spec: text });
  // so that the first day finds the champion known
  await world.pass(start - 30 * hour, start - 12 * hour);
};
afterEach(() => world.close());

/** Days of parcels, up to the closing of the last one. */
const live = async (from: number, to: number, parcels?: (p: Parcel) => Parcel, shadows = {}) => {
  for (let i = from; i < to; i++) await world.live(start + i * day, { count, shadows, ...(parcels && { parcels }) });
  await world.pass(start + (to - 1) * day + 12 * hour, start + to * day + 12 * hour);
};
const list = (state = '') =>
  call(world.client, 'listQuarantine', { model: 'parcels', state, limit: 0 }, { deadlineMs: 5000 });
const resolve = (id: string, state: string) =>
  call(world.client, 'resolveQuarantine', { id, state, note: 'a private note' }, { deadlineMs: 5000 });
const told = () => world.heard(events.quarantineChanged);
const decisions = async () =>
  (await world.ledger()).entries
    .filter(({ decision }) => decision!.kind === 'quarantine')
    .map(({ decision }) => decision!);
const dates = (from: number, to: number) => [new Date(start + from * day), new Date(start + to * day)];

/** A day whose labels come from two sources in turn; `spoil` those of the second. */
async function liveOfTwo(cohort: number, spoil: (p: Parcel) => Parcel) {
  const parcels = parcelsOf(cohort, 2 * count);
  await world.ask(parcels);
  const labels = parcels.map((parcel, i) => {
    const { id, time, y } = i % 2 ? spoil(parcel) : parcel;
    const times = { entityTime: new Date(time), knownAt: new Date(time + 2 * hour) };
    return Label.fromPartial({ entityId: id, ...times, value: y, source: i % 2 ? 'tower' : 'doors', revision: 1 });
  });
  for (let bucket = 0; bucket < labelBuckets; bucket++) {
    const own = labels.filter(({ entityId }) => entityBucket(entityId, labelBuckets) === bucket);
    const batch = LabelsAdded.fromPartial({ tenant: 'main', label: 'parcels.late', labels: own, bucket });
    await world.tell(events.labelsAdded, batch, start);
  }
  await world.pass(cohort - 12 * hour, cohort + 12 * hour);
}

describe('days of flipped labels', () => {
  it('are set aside as they close, with the evidence, and told of', async () => {
    await open();
    await live(0, 5);
    expect((await list()).total).toBe(0);
    await live(5, 9, flip);
    await live(9, 13);
    const { items } = await list('held');
    expect(items).toHaveLength(1);
    const [item] = items;
    expect(item).toMatchObject({ holder: 'monitoring', model: 'parcels', state: 'held', source: '' });
    expect([item.window!.start, item.window!.end]).toEqual(dates(5, 9));
    const [first] = item.evidence;
    expect(first.holds).toBe(true);
    expect(first.rows).toBeGreaterThanOrEqual(count);
    expect((await told())[0]).toMatchObject({ model: 'parcels', item: { id: item.id, state: 'held' } });
    const said = await decisions();
    expect(said.every(({ outcome }) => outcome === 'held')).toBe(true);
    expect(said[0].evidence[0]).toMatchObject({ test: first.test, statistic: first.statistic });
    expect((await world.status()).quarantined).toBe(1);
  });

  it('are no fresh labels, and are in no calibration gap', async () => {
    await open();
    await live(0, 5);
    const before = (await world.status()).freshLabels;
    await live(5, 8, flip);
    await live(8, 9);
    const status = await world.status();
    expect(status.freshLabels).toBe(before + count);
    const gap = status.signals.find(({ test }) => test === 'calibration_gap')!;
    expect(gap).toMatchObject({ days: 6, rows: 6 * count });
    expect(gap.statistic).toBeLessThan(0.05);
  });

  it('go into the request as windows', async () => {
    await open(spec({}, { any: [{ growth: { atLeast: 9 } }], cooldown: '1d' }));
    await live(0, 2);
    await live(2, 4, flip);
    await live(4, 8);
    const [request] = await world.requested();
    expect(request.quarantined.map(({ start: from, end, source }) => [from, end, source])).toEqual([
      [...dates(2, 4), ''],
    ]);
  });

  it('are not set aside where the thresholds are at their extremes', async () => {
    await open(spec({ aucBelow: 0, calibrationGapAbove: 1, sourceGapAbove: 1 }));
    await live(0, 3);
    await live(3, 8, flip);
    expect((await list()).total).toBe(0);
    expect((await world.status()).freshLabels).toBe(8 * count);
  });

  it('are not set aside on the word of a version that no training made', async () => {
    await open();
    await world.roll(start - 12 * hour, { champion: { version: 'v0' } });
    const prior = { count, version: 'v0', p: () => 0.02 };
    for (let i = 0; i < 5; i++) await world.live(start + i * day, prior);
    expect((await world.status()).days.at(-1)!.versions.map(({ version }) => version)).toContain('v0');
    expect((await list()).total).toBe(0);
  });

  it('are set aside once when a tick is handled again, and what a crash left unmarked is marked', async () => {
    await open();
    await live(0, 3);
    await live(3, 6, flip);
    const before = await list();
    const looks = world.service.ground.connection.model('Looked');
    await looks.updateOne({ _id: 'main/parcels' }, { $set: { day: start + 2 * day } });
    await world.service.ground.connection.model('Day').updateMany({ series: 'main/parcels' }, { $set: { held: [] } });
    await world.tick(start + 6 * day + 12 * hour);
    expect((await world.status()).freshLabels).toBe(3 * count);
    expect((await list()).items.map(({ id, window }) => [id, window])).toEqual(
      before.items.map(({ id, window }) => [id, window]),
    );
    const ids = await world.ids(events.quarantineChanged);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('one source of flipped labels', () => {
  it('is set aside alone: the other source goes on counting', async () => {
    await open();
    const keep = (parcel: Parcel) => parcel;
    for (let i = 0; i < 3; i++) await liveOfTwo(start + i * day, keep);
    for (let i = 3; i < 6; i++) await liveOfTwo(start + i * day, flip);
    await world.pass(start + 5 * day + 12 * hour, start + 6 * day + 12 * hour);
    const { items } = await list('held');
    expect(items.map(({ kind, source, window }) => [kind, source, window!.start, window!.end])).toEqual([
      ['source', 'tower', ...dates(3, 6)],
    ]);
    const status = await world.status();
    expect(status.freshLabels).toBe(3 * 2 * count + 3 * count);
    const gap = status.signals.find(({ test }) => test === 'calibration_gap')!;
    expect(gap).toMatchObject({ days: 6, rows: 3 * 2 * count + 3 * count });
    expect(gap.statistic).toBeLessThan(0.05);
  });
});

describe('a person', () => {
  it('lets days in: from the next tick on they count again, and the ledger says so without the note', async () => {
    await open();
    await live(0, 3);
    await live(3, 6, flip);
    const [{ id }] = (await list('held')).items;
    expect(await resolve(id, 'released')).toMatchObject({ state: 'released' });
    await resolve(id, 'released');
    expect((await world.status()).freshLabels).toBe(3 * count);
    await live(6, 8, flip);
    expect((await world.status()).freshLabels).toBe(8 * count);
    expect((await list('held')).total).toBe(0);
    const said = await decisions();
    expect(said.at(-1)).toMatchObject({ outcome: 'released', reasons: ['a person lets these days in'] });
    expect(JSON.stringify(await world.ledger())).not.toContain('a private note');
    expect((await told()).at(-1)!.item).toMatchObject({ id, state: 'released' });
    expect((await world.status()).quarantined).toBe(0);
  });

  it('confirms that days are bad: they stay out', async () => {
    await open();
    await live(0, 3);
    await live(3, 6, flip);
    const [{ id }] = (await list('held')).items;
    await resolve(id, 'upheld');
    await live(6, 8);
    expect((await list('upheld')).items.map((item) => item.id)).toEqual([id]);
    expect((await decisions()).at(-1)!.outcome).toBe('upheld');
    expect((await world.status()).freshLabels).toBe(5 * count);
    await expect(resolve('monitoring/none', 'released')).rejects.toMatchObject({ code: 'UNKNOWN_QUARANTINE' });
    await expect(resolve(id, 'gone')).rejects.toMatchObject({ code: 'QUARANTINE_STATE_UNKNOWN' });
  });
});

describe('a trial', () => {
  const eager = () => spec({}, { any: [{ growth: { atLeast: 2 } }], cooldown: '1d', deadlines: { training: '9d' } });
  const worse = { v2: (p: Parcel) => Math.min(0.95, p.p + 0.02) };

  /** Its cycle opens as the first day closes; it is in shadow from the day after `days` on. */
  async function intoShadow(days: number, parcels?: (p: Parcel) => Parcel) {
    await live(0, days, parcels);
    const [{ cycleId }] = await world.requested();
    const now = start + days * day + 12 * hour;
    await world.trained(now, cycleId);
    await world.approve(now, cycleId, 'v2');
    await world.trial(now, cycleId, Stage.SHADOW);
  }

  it('whose candidate learned from days that are set aside since is withdrawn, once', async () => {
    await open(eager());
    // too little to be told from chance before the fourth day
    const some = (parcel: Parcel) => (parcel.weight < 6 ? flip(parcel) : parcel);
    await intoShadow(2, some);
    expect((await list()).total).toBe(0);
    await live(2, 7, some, worse);
    const judged = await world.judged();
    expect(judged.map(({ verdict }) => verdict)).toEqual([Verdict.ROLL_BACK]);
    expect(judged[0].decision!.reasons[0]).toMatch(/^it learned from .* set aside since$/);
    expect((await list('held')).items[0].window!.start).toEqual(new Date(start));
  });

  it('whose shadow was judged on days that are set aside since is withdrawn from its canary', async () => {
    await open(eager());
    await intoShadow(3);
    const some = (parcel: Parcel) => (parcel.weight < 6 ? flip(parcel) : parcel);
    const equal = { v2: (p: Parcel) => p.p };
    await live(3, 6, some, equal);
    expect((await list()).total).toBe(0);
    const [{ cycleId }] = await world.requested();
    await world.trial(start + 6 * day + 12 * hour, cycleId, Stage.CANARY);
    await live(6, 9, some, equal);
    expect((await list('held')).items[0].window!.start!.getTime()).toBeLessThan(start + 6 * day);
    const back = (await world.judged()).filter(({ verdict }) => verdict === Verdict.ROLL_BACK);
    expect(back.map(({ stage, decision }) => [stage, decision!.reasons[0].slice(0, 24)])).toEqual([
      [Stage.CANARY, 'its shadow was judged on'],
    ]);
  });

  it('is not judged by days that are held', async () => {
    await open(eager());
    await intoShadow(3);
    await live(3, 6, undefined, worse);
    const rows = async () => (await world.status()).signals.find(({ test }) => test === 'harm')!.rows;
    const before = await rows();
    expect(before).toBeGreaterThan(0);
    await live(6, 8, flip, worse);
    await live(8, 9, undefined, worse);
    expect((await list('held')).items.map(({ window }) => window!.start)).toEqual([new Date(start + 6 * day)]);
    expect(await rows()).toBe(before + count);
  });
});
