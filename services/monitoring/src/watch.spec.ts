import { type AnyEvent, events } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import type { Type } from '@nestjs/common';
import { DocumentsOf, day, hour, openWorld, parcelsOf, start, type World } from './testing/world.js';
import { WhenLabelsAdded } from './when-labels-added.js';
import { WhenPredictionsMade } from './when-predictions-made.js';

/** What was heard of a topic, once more, from the same positions: what a restart may do that had not committed them. */
async function hearAgain({ service, bus }: World, { topic, partitions, payload }: AnyEvent, when: Type<Keeper>) {
  for (let partition = 0; partition < partitions; partition++)
    for (const { id, time, offset, data } of await bus.read(topic, partition, 0, 100)) {
      const cause = { id, time, tenant: 'main', position: { topic, partition, offset } };
      await service.app.get(when).keep(payload.fromJSON(data), cause);
    }
}

/** The same events as further records of the log: what a publisher does that stood still before it knew they were taken. */
async function publishAgain({ bus }: World, { topic, partitions }: AnyEvent): Promise<void> {
  for (let partition = 0; partition < partitions; partition++)
    await bus.publish(await bus.read(topic, partition, 0, 100));
  await bus.settled();
}

interface Keeper {
  keep(payload: unknown, cause: Cause): Promise<void>;
}

describe('the watch over cohorts', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
    await world.declare(start - day);
    await world.roll(start - day, { champion: { version: 'v1' } });
  });
  afterEach(() => world.close());

  it('closes a day only when its labels are due', async () => {
    const parcels = parcelsOf(start, 30);
    await world.ask(parcels);
    await world.label(parcels);
    await world.tick(start + day + 11 * hour);
    expect((await world.status()).days).toEqual([]);
    await world.tick(start + day + 12 * hour);
    expect((await world.status()).days).toMatchObject([{ predictions: 30, labelled: 30, censored: 0 }]);
  });

  it('sums loss, residual, Brier score and hits of every role as integers', async () => {
    await world.roll(start - 2 * hour, { champion: { version: 'v1' }, frozen: { version: 'v0' } });
    await world.tick(start);
    const parcels = parcelsOf(start, 2).map((parcel, i) => ({ ...parcel, p: [0.8, 0.4][i], y: 1 as const }));
    await world.ask(parcels, { shadows: { v0: () => 0.5 } });
    await world.label(parcels);
    await world.tick(start + day + 12 * hour);
    const { days } = await world.status();
    const nano = (p: number) => Math.round(-Math.log(p) * 1e9);
    const champion = {
      ...{ rows: 2, lossNano: nano(0.8) + nano(0.4), residualMicro: 800_000 },
      ...{ brierNano: 40_000_000 + 360_000_000, correct: 1 },
    };
    const frozen = { version: 'v0', role: 'frozen', rows: 2, lossNano: 2 * nano(0.5), residualMicro: 1_000_000 };
    expect(days[0].versions).toEqual([
      { version: 'v1', role: 'champion', ...champion },
      { ...frozen, brierNano: 500_000_000, correct: 2 },
      { version: '', role: 'returned', ...champion },
    ]);
  });

  it.each([
    ['heard', hearAgain],
    ['published', publishAgain],
  ])('counts labels and predictions once that are %s again after their day was let go', async (_how, again) => {
    const parcels = parcelsOf(start, 10);
    await world.ask(parcels);
    await world.label(parcels);
    await world.tick(start + 4 * day);
    const counted = async () => {
      const [first] = await world.service.ground.connection.models.Day.find().lean();
      return [first.labels, first.predictions, first.late ?? 0];
    };
    expect(await counted()).toEqual([10, 10, 0]);
    await again(world, events.labelsAdded, WhenLabelsAdded as Type<Keeper>);
    await again(world, events.predictionsMade, WhenPredictionsMade as Type<Keeper>);
    await world.tick(start + 5 * day);
    await world.tick(start + 6 * day);
    expect(await counted()).toEqual([10, 10, 0]);
  });

  it('credits each question to whoever was champion when it was asked', async () => {
    const noon = start + day / 2;
    await world.roll(noon, { champion: { version: 'v2' } });
    await world.tick(noon);
    const parcels = parcelsOf(start, 24);
    const before = parcels.filter((parcel) => parcel.time - hour <= noon);
    await world.ask(before, { version: 'v1' });
    await world.ask(
      parcels.filter((parcel) => !before.includes(parcel)),
      { version: 'v2' },
    );
    await world.label(parcels);
    await world.tick(start + day + 12 * hour);
    const champions = (await world.status()).days[0].versions.filter(({ role }) => role === 'champion');
    expect(champions.map(({ version, rows }) => [version, rows])).toEqual([
      ['v1', 14],
      ['v2', 10],
    ]);
  });

  it('leaves a label that comes after closing out of the sums, and counts it for growth', async () => {
    const parcels = parcelsOf(start, 20);
    await world.ask(parcels);
    await world.label(parcels.slice(0, 15));
    await world.label(parcels.slice(15), 40 * hour);
    await world.tick(start + day + 12 * hour);
    await world.tick(start + 3 * day);
    const status = await world.status();
    expect(status.days[0]).toMatchObject({ predictions: 20, labelled: 15, censored: 0 });
    expect(status.freshLabels).toBe(20);
  });

  it('closes with the truth as it was known then, however late the tick and whatever the order of arrival', async () => {
    const parcels = parcelsOf(start, 10);
    await world.ask(parcels, { p: () => 0.9 });
    await world.label(parcels, 50 * hour, 2, () => 0); // known after closing: too late for the sums
    await world.label(parcels, 2 * hour, 1, () => 1);
    await world.tick(start + 9 * day);
    const first = (await world.status()).days.find(({ predictions }) => predictions)!;
    expect(first.versions[0]).toMatchObject({ rows: 10, correct: 10 });
  });

  it('takes the newest revision known by closing', async () => {
    const parcels = parcelsOf(start, 10);
    await world.ask(parcels, { p: () => 0.9 });
    await world.label(parcels, 2 * hour, 1, () => 1);
    await world.label(parcels, 3 * hour, 2, () => 0);
    await world.tick(start + 2 * day);
    expect((await world.status()).days[0].versions[0]).toMatchObject({ rows: 10, correct: 0 });
  });

  it('ignores predictions and labels that come twice', async () => {
    const parcels = parcelsOf(start, 10);
    for (let i = 0; i < 2; i++) {
      await world.ask(i ? parcels.slice(5) : parcels.slice(0, 7));
      await world.label(i ? parcels.slice(5) : parcels.slice(0, 7));
    }
    await world.tick(start + 2 * day);
    expect((await world.status()).days[0]).toMatchObject({ predictions: 10, labelled: 10 });
    expect((await world.status()).freshLabels).toBe(10);
  });

  it('counts a prediction under the id of another question, and says so where people look', async () => {
    const [parcel, ...others] = parcelsOf(start, 5);
    const asked = [parcel, ...others.map((other) => ({ ...other, as: parcel.id }))];
    for (let i = 0; i < 2; i++)
      for (const [n, each] of asked.entries()) await world.ask([each], { question: `q${n}`, version: `v${i}` });
    await world.label([parcel, ...others]);
    await world.tick(start + 2 * day);
    const { days, attention } = await world.status();
    expect(days[0]).toMatchObject({ predictions: 5, labelled: 5 });
    const last = new Date(others[3].time - hour).toISOString();
    expect(attention).toEqual([
      `4 predictions came under ids of other questions, the last "${parcel.id}" at ${last}: each counts, but give each request its own id`,
    ]);
    await world.tick(start + 9 * day);
    expect((await world.status()).attention).toEqual([]);
  });

  it('takes predictions of before, which name no question, for the same where they have the same id', async () => {
    const [parcel, other] = parcelsOf(start, 2);
    await world.ask([parcel]);
    await world.ask([{ ...other, as: parcel.id }], { question: 'q1' });
    await world.label([parcel, other]);
    await world.tick(start + 2 * day);
    expect(await world.status()).toMatchObject({ days: [{ predictions: 1 }], attention: [] });
  });

  it('censors what never got a label, and lets the rows go', async () => {
    const parcels = parcelsOf(start, 10);
    await world.ask(parcels);
    await world.label(parcels.slice(0, 7));
    await world.tick(start + 2 * day);
    expect(await rowsLeft(world)).toEqual([10, 7]);
    await world.tick(start + 3 * day);
    expect((await world.status()).days[0]).toMatchObject({ predictions: 10, labelled: 7, censored: 3 });
    expect(await rowsLeft(world)).toEqual([0, 0]);
  });

  it('closes days without rows too, so that time passes', async () => {
    const parcels = parcelsOf(start, 5);
    await world.ask(parcels);
    await world.label(parcels);
    await world.tick(start + 5 * day);
    const { days } = await world.status();
    expect(days.map(({ predictions }) => predictions)).toEqual([5, 0, 0, 0]);
  });

  it('counts labels that nobody asked about, also those of days that are long over', async () => {
    await world.label(parcelsOf(start, 10));
    await world.tick(start + 9 * day);
    await world.label(parcelsOf(start + day, 4));
    await world.label(parcelsOf(start - 3 * day, 3));
    await world.pass(start + 9 * day, start + 10 * day);
    expect((await world.status()).freshLabels).toBe(17);
    expect(await rowsLeft(world)).toEqual([0, 0]);
  });
});

async function rowsLeft({ service }: World): Promise<number[]> {
  const rows = service.app.get(DocumentsOf.rows);
  return [await rows.predictions.countDocuments(), await rows.labels.countDocuments()];
}
