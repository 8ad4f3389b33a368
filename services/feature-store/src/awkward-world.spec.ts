/** Both computations against the definition, in a world of ties, revisions, fractions and things known too late. */
import { Random } from '@driftloop/algorithms';
import { type Label, parseModelSpec, type SourceRow } from '@driftloop/contracts';
import { awkwardSpec, awkwardWorld, hour } from './testing/awkward.js';
import { declared } from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';
import { type PlainWorld, slowFeatures } from './testing/slow-features.js';

const spec = parseModelSpec(awkwardSpec);
const cutoff = '2020-04-10T00:00:00Z';
const world = awkwardWorld(new Random(3), 160);

const plainRow = ({ entityId, eventTime, knownAt, values }: SourceRow) => ({
  entity: entityId,
  event: eventTime!.getTime(),
  known: knownAt!.getTime(),
  cells: Object.fromEntries(Object.entries(values).map(([name, { kind }]) => [name, kind?.value as number])),
});
const plainLabel = ({ entityId, entityTime, knownAt, value }: Label) => ({
  ...{ entity: entityId, event: entityTime!.getTime(), known: knownAt!.getTime(), cells: { value } },
});

/** Duplicates (the same three keys) count once: the first one. */
function plainWorld(): PlainWorld {
  const rows = {
    plan: world.plan.map(plainRow),
    seen: world.seen.map(plainRow),
    air: world.air.map(plainRow),
    outcomes: world.outcomes.map(plainLabel),
  };
  const once = (list: ReturnType<typeof plainRow>[]) => [
    ...new Map(list.toReversed().map((row) => [`${row.entity} ${row.event} ${row.known}`, row])).values(),
  ];
  return Object.fromEntries(Object.entries(rows).map(([source, list]) => [source, once(list)]));
}

async function play(store: Running): Promise<void> {
  const random = new Random(5);
  for (const source of ['seen', 'plan', 'air'] as const) {
    const left = [...world[source]];
    while (left.length) await store.ingest('visits', [{ source, rows: left.splice(0, 1 + random.integer(30)) }]);
  }
  const left = [...world.outcomes];
  while (left.length) await store.label('visits.bad', left.splice(0, 40));
}

describe('an awkward little world', () => {
  let store: Running;

  beforeAll(async () => {
    store = await runFeatureStore();
    await store.declare(declared(awkwardSpec));
    await play(store);
  });

  afterAll(() => store.close());

  it('is served and joined as the definition says', async () => {
    const plain = plainWorld();
    const set = await store.build('visits', cutoff);
    const joined = await store.rowsOf(set);
    const names = [...set.numberFeatures, ...set.textFeatures];
    expect(joined.length).toBeGreaterThan(100);
    const questions = joined.map((row) => ({ entityId: row.entity_id as string, time: row.question_time as number }));
    const { rows } = await store.read('visits', questions);
    const close = (value: unknown) => (typeof value === 'number' ? Number(value.toFixed(6)) : value);
    for (const [i, row] of joined.entries()) {
      const online = Object.fromEntries([
        ...set.numberFeatures.map((name, n) => [name, rows[i].numbers[n]]),
        ...set.textFeatures.map((name, n) => [name, rows[i].texts[n]]),
      ]);
      const offline = Object.fromEntries(names.map((name) => [name, row[name] ?? Number.NaN]));
      expect({ entity: row.entity_id, ...offline }).toEqual({ entity: row.entity_id, ...online });
      const slow = slowFeatures(spec, plain, row.entity_id as string, row.entity_time as number);
      for (const name of names) {
        const absent = set.textFeatures.includes(name) ? '' : Number.NaN;
        expect([row.entity_id, name, close(offline[name])]).toEqual([row.entity_id, name, close(slow[name] ?? absent)]);
      }
    }
  });

  it('takes of a revised label what was known at the cutoff', async () => {
    const plain = plainWorld().outcomes;
    const early = Date.UTC(2020, 2, 28, 6);
    for (const row of await store.rowsOf(await store.build('visits', new Date(early).toISOString()))) {
      const known = plain.filter((r) => r.entity === row.entity_id && r.known <= early);
      const newest = known.toSorted((a, b) => b.known - a.known)[0];
      expect([row.label, row.label_known_at]).toEqual([newest.cells.value, newest.known]);
      expect(row.question_time).toBe((row.entity_time as number) - 2 * hour);
    }
  });

  it('is the same set again, and another with one more label', async () => {
    const first = await store.build('visits', cutoff);
    expect((await store.build('visits', cutoff)).sha256).toBe(first.sha256);
    const before = Math.max(...world.outcomes.map(({ knownAt }) => knownAt!.getTime())) - 1;
    expect((await store.build('visits', new Date(before).toISOString())).sha256).not.toBe(first.sha256);
  });
});
