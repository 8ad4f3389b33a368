/**
 * Poison through the real path: for seven days every outcome is reported the wrong way round. The days are set aside as
 * they close; the next training leaves them out, and they are in no trial. Without the quarantine the same days spoil
 * what is trained; and a person's word lets them in.
 */
import { Quarantine } from '@driftloop/client';
import { DAY, type ParcelsOptions, parcelsWorld, START } from '../worlds/parcels.js';
import { openPlayed, type Played } from './played.js';

const flipped = [11, 18] as const;
const on = 'quarantine: { days: 5, minRows: 150 }';
const off = 'quarantine: { aucBelow: 0, calibrationGapAbove: 1, sourceGapAbove: 1 }';

const poisoned = (quarantine: string, changes: ParcelsOptions['spec'] = []) =>
  parcelsWorld({
    days: 33,
    perDay: 160,
    flipped,
    spec: [
      // only growth opens a cycle, and nothing but the quarantine stands between poison and shadow
      [
        'any: [{ growth: { atLeast: 1 } }, { calibrationGap: { atLeast: 0.08, z: 2.5 } }]',
        'any: [{ growth: { atLeast: 0.9 } }]',
      ],
      ['gate: { enabled: true', 'gate: { enabled: false'],
      [off, quarantine],
      ...changes,
    ],
  });

let played: Played;
beforeEach(async () => {
  played = await openPlayed();
});
afterEach(() => played?.close());

const quarantine = () => new Quarantine(played.control);
const versionOf = async (name: string) =>
  (await played.control.versions('parcels')).find(({ version }) => version === name)!;
/** How much more the challenger in shadow loses on the truth than the champion does, a row. */
function harmOf({ truth }: ReturnType<typeof poisoned>): number {
  const shadows = played.diary().shadows();
  const differences = [...played.diary().answers().values()].flatMap(({ id, version, probability }) => {
    const other = version === 'v1' ? shadows.get(id)?.scores.v2 : undefined;
    const y = truth.get(id)!;
    return other === undefined ? [] : [loss(other, y) - loss(probability, y)];
  });
  expect(differences.length).toBeGreaterThan(300);
  return differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
}
const loss = (p: number, y: number): number => -Math.log(y === 1 ? p : 1 - p);

it('days of flipped outcomes are set aside, are not trained on, and spoil nothing', async () => {
  const world = poisoned(on);
  await played.play(world, START + 32 * DAY);
  const { items } = await quarantine().list('parcels', { state: 'held' });
  const windows = items
    .map(({ window }) => window!)
    .sort((one, other) => one.start!.getTime() - other.start!.getTime());
  for (const { holder, state, source } of items)
    expect({ holder, state, source }).toEqual({ holder: 'monitoring', state: 'held', source: '' });
  // none but poisoned days, from the first on; later ones may look innocent, once features hold flipped outcomes too
  expect(windows[0].start).toEqual(new Date(START + flipped[0] * DAY));
  expect(windows.at(-1)!.end!.getTime()).toBeLessThanOrEqual(START + flipped[1] * DAY);
  const held = windows.reduce((sum, { start, end }) => sum + (end!.getTime() - start!.getTime()) / DAY, 0);
  expect(held).toBeGreaterThanOrEqual(3);
  const [, second] = await played.control.cycles(world.model);
  expect(second).toMatchObject({ champion: 'v1', version: 'v2' });
  const { lineage } = await versionOf('v2');
  expect(lineage!.excludedRows).toBe(held * 160);
  expect(lineage!.quarantined).toEqual(windows);
  expect(harmOf(world)).toBeLessThan(0.02);
  const entries = (await played.control.ledger(world.model)).entries;
  expect(entries.filter(({ decision }) => decision!.kind === 'quarantine').length).toBeGreaterThan(0);
}, 180_000);

it('without the quarantine the same days spoil what is trained', async () => {
  const world = poisoned(off);
  await played.play(world, START + 29 * DAY);
  expect((await quarantine().list('parcels')).total).toBe(0);
  expect((await versionOf('v2')).lineage!.excludedRows).toBe(0);
  expect(harmOf(world)).toBeGreaterThan(0.05);
}, 180_000);

it('days that a person lets in are trained on, and their labels count as fresh', async () => {
  const world = poisoned(on);
  await played.play(world, START + 19.75 * DAY);
  const before = (await played.control.status(world.model)).freshLabels;
  const { items } = await quarantine().list('parcels', { state: 'held' });
  const rows = items.reduce((sum, item) => sum + item.rows, 0);
  expect(rows).toBeGreaterThanOrEqual(3 * 160);
  for (const { id } of items) await quarantine().release('parcels', id, 'a drill');
  await played.play(world, START + 20.5 * DAY);
  const after = (await played.control.status(world.model)).freshLabels;
  expect(after - before).toBeGreaterThanOrEqual(rows);
  await played.play(world, START + 24 * DAY);
  const { lineage } = await versionOf('v2');
  expect([lineage!.excludedRows, lineage!.quarantined]).toEqual([0, []]);
}, 180_000);
