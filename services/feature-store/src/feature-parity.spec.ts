/** One definition, two computations: what is served online is what is joined offline later, to the last bit. */
import { isDeepStrictEqual } from 'node:util';
import { Random } from '@driftloop/algorithms';
import { type FeatureRow, type Label, outcomesSource, type SourceRow, type TrainingSet } from '@driftloop/contracts';
import { takeIn } from './rows/intake.js';
import {
  arrivedRows,
  askedAt,
  type Departure,
  declared,
  departedRows,
  departures,
  flightsSpec,
  labels,
  scheduleRows,
  weatherRows,
} from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';
import { FeatureView } from './views/feature-view.js';
import { planOf } from './views/plan.js';
import type { Row } from './views/source-rows.js';

const [from, to] = ['2013-02-01', '2013-03-01'];
const afterwards = '2013-03-05T00:00:00Z';
const hour = 3_600_000;
const step = 3 * hour;

interface World {
  schedule: SourceRow[];
  departed: SourceRow[];
  arrived: SourceRow[];
  weather: SourceRow[];
  outcomes: Label[];
}

const sources = ['schedule', 'departed', 'arrived', 'weather'] as const;

function worldOf(flights: readonly Departure[]): World {
  return {
    schedule: scheduleRows(flights),
    departed: departedRows(flights),
    arrived: arrivedRows(flights),
    weather,
    outcomes: labels(flights),
  };
}

const flights = departures(from, to);
const weather = weatherRows(from, to);
const world = worldOf(flights);

/** Plays the month step by step, as the replay does: what became known, then the questions, each as of its own time. */
async function playInOrder(store: Running): Promise<Map<string, FeatureRow>> {
  const answers = new Map<string, FeatureRow>();
  const stepOf = (ms: number) => Math.floor((ms - 1) / step);
  const byStep = <T>(list: readonly T[], time: (item: T) => number) => Map.groupBy(list, (item) => stepOf(time(item)));
  const known = Object.fromEntries(
    sources.map((source) => [source, byStep(world[source], ({ knownAt }) => knownAt!.getTime())]),
  );
  const learned = byStep(world.outcomes, ({ knownAt }) => knownAt!.getTime());
  const asked = byStep(flights, askedAt);
  for (let h = stepOf(Date.parse(from) - 25 * hour); h <= stepOf(Date.parse(to)); h++) {
    const watermark = new Date((h + 1) * step);
    await store.ingest(
      'flights',
      sources.map((source) => ({ source, rows: known[source].get(h) ?? [], watermark })),
    );
    await store.label('flights.late15', learned.get(h) ?? [], watermark);
    const questions = (asked.get(h) ?? []).map((d) => ({ entityId: d.flight_id, time: askedAt(d) }));
    if (!questions.length) continue;
    const { rows } = await store.read('flights', questions, 1000);
    for (const [i, row] of rows.entries()) answers.set(questions[i].entityId, row);
  }
  return answers;
}

/** Everything in batches of any size, in any order: labels before flights, March before February. */
async function playShuffled(store: Running, seed: number): Promise<void> {
  const random = new Random(seed);
  const batches = <T>(list: readonly T[]): T[][] => {
    const left = random.shuffle([...list]);
    const cut: T[][] = [];
    while (left.length) cut.push(left.splice(0, 1 + Math.floor(random.uniform() * 700)));
    return cut;
  };
  const sends = [
    ...sources.flatMap((source) =>
      batches(world[source]).map((rows) => () => store.ingest('flights', [{ source, rows }])),
    ),
    ...batches(world.outcomes).map((rows) => () => store.label('flights.late15', rows)),
  ];
  for (const send of random.shuffle(sends)) await send();
}

describe('a month of flights', () => {
  let store: Running;
  let set: TrainingSet;
  let joined: Record<string, number | string | null>[];
  let answers: Map<string, FeatureRow>;

  beforeAll(async () => {
    store = await runFeatureStore();
    await store.declare(declared());
    answers = await playInOrder(store);
    await store.label('flights.late15', world.outcomes);
    set = await store.build('flights', afterwards);
    joined = await store.rowsOf(set);
  }, 120_000);

  afterAll(() => store.close());

  it('joins every labelled flight, 62 columns each', () => {
    expect(joined.length).toBe(world.outcomes.length);
    expect(set.rows).toBe(joined.length);
    expect(set.numberFeatures.length + set.textFeatures.length).toBe(62);
  });

  it('served at each question exactly what is joined offline later', () => {
    const differences: unknown[] = [];
    for (const row of joined) {
      const answer = answers.get(row.entity_id as string)!;
      expect(answer.complete).toBe(true);
      set.numberFeatures.forEach((name, i) => {
        if (!Object.is(answer.numbers[i], row[name] ?? Number.NaN))
          differences.push([row.entity_id, name, answer.numbers[i], row[name]]);
      });
      set.textFeatures.forEach((name, i) => {
        if (answer.texts[i] !== row[name]) differences.push([row.entity_id, name, answer.texts[i], row[name]]);
      });
    }
    expect(differences).toEqual([]);
  });

  it('serves and joins the same however the rows arrive', async () => {
    const other = await runFeatureStore();
    try {
      await other.declare(declared());
      await playShuffled(other, 7);
      const questions = flights.map((d) => ({ entityId: d.flight_id, time: askedAt(d) }));
      const { rows } = await other.read('flights', questions);
      for (const [i, { entityId }] of questions.entries()) {
        // Nobody has promised anything here: how far the store is behind is told by its rows alone.
        const { behindMs, stale } = rows[i];
        expect(rows[i]).toEqual({ ...answers.get(entityId), behindMs, stale });
      }
      expect((await other.build('flights', afterwards)).sha256).toBe(set.sha256);
    } finally {
      await other.close();
    }
  }, 120_000);

  it('answers the same about a flight whose own delay and label are others', () => {
    const told = rowsOf(world);
    const truth = viewOf(told);
    const changed: string[] = [];
    for (const [i, flight] of flights.entries()) {
      if (i % 400 !== 200) continue;
      const question = { entityId: flight.flight_id, time: askedAt(flight), inputs: {} };
      const perturbed = viewOf(replaced(told, flight.flight_id, rowsOf(worldOf([otherwise(flight)]))));
      expect(perturbed.answer(question)).toEqual(truth.answer(question));
      const after = { ...question, time: askedAt(flight) + 24 * hour };
      if (!isDeepStrictEqual(perturbed.answer(after), truth.answer(after))) changed.push(flight.flight_id);
    }
    expect(changed.length).toBeGreaterThan(15);
  });
});

/** A flight that left and arrived quite otherwise. */
function otherwise(flight: Departure): Departure {
  const delay = String(Number(flight.dep_delay || 0) > 0 ? -5 : 300);
  return {
    ...flight,
    dep_delay: delay,
    arr_delay: delay,
    label_late15: flight.label_late15 === '1' ? '0' : '1',
    label_available_utc: new Date(Date.parse(flight.sched_dep_utc) + 2 * hour).toISOString(),
  };
}

type Told = Map<string, Row[]>;

/** The rows of a world, as the store keeps them. */
function rowsOf(told: World): Told {
  const columns = planOf(flightsSpec).sources;
  const outcomes = told.outcomes.map(({ entityId, entityTime, knownAt, value }) => ({
    ...{ entityId, eventTime: entityTime!.getTime(), knownAt: knownAt!.getTime(), cells: [value] },
  }));
  const others = sources.map((source) => [source, takeIn(columns.get(source)!, told[source]).rows] as const);
  return new Map([...others, [outcomesSource, outcomes]]);
}

/** The same rows but for those about one flight. */
function replaced(told: Told, flightId: string, own: Told): Told {
  const others = (source: string) => told.get(source)!.filter(({ entityId }) => entityId !== flightId);
  return new Map(
    [...told.keys()].map((source) => [
      source,
      source === 'weather' ? told.get(source)! : [...others(source), ...own.get(source)!],
    ]),
  );
}

function viewOf(told: Told): FeatureView {
  const view = new FeatureView(planOf(flightsSpec));
  for (const [source, rows] of told) view.add(source, rows);
  return view;
}
