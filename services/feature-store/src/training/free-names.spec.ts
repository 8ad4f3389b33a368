/** Features and inputs that are called like what the join needs for itself: none of them is reserved but a training set's own columns. */
import { Random } from '@driftloop/algorithms';
import { parseNewModelSpec } from '@driftloop/contracts';
import { declared, number, text } from '../testing/flights.js';
import { type Running, runFeatureStore } from '../testing/running.js';

/** Names of tables, of columns and of aliases in the join's SQL. */
const numbers = [
  'rid',
  'q_time',
  'left_out',
  'key_region',
  'number_0',
  'written0',
  'key_0',
  'n0',
  'e',
  't',
  'k',
  'o',
  'q',
];
const texts = ['region', 'questions', 'joined', 'select', 'seq', 'next_k', 'r', 'row'];

const columns = Object.fromEntries([...numbers.map((n) => [n, 'number']), ...texts.map((n) => [n, 'text'])]);
const spec = JSON.stringify({
  apiVersion: 'driftloop/v1',
  kind: 'Model',
  metadata: { name: 'parcels' },
  spec: {
    task: 'binary',
    entity: { name: 'parcel', time: 'due' },
    question: { lead: '1h' },
    request: { inputs: { ...columns, due: 'time' }, source: 'plan' },
    sources: { plan: { columns }, seen: { columns: { label: 'number', cohort: 'number', steps: 'number' } } },
    features: [
      ...[...numbers, ...texts].map((input) => ({ input })),
      { latest: 'seen', columns: ['steps'], maxAge: '24h' },
      { window: 'seen', aggregate: 'mean', of: 'label', as: 'sums', over: ['24h'], by: 'select' },
      { window: 'seen', aggregate: 'mean', of: 'cohort', as: 'due', over: ['24h'], by: 'rid' },
      { overdue: 'plan', until: 'seen', over: ['24h'], by: 'left_out' },
    ],
    label: { name: 'label', closeAfter: '12h', censorAfter: '48h' },
  },
});
const at = (hours: number) => new Date(Date.UTC(2013, 0, 1, hours));

let store: Running;
beforeAll(async () => {
  store = await runFeatureStore();
  await store.declare(declared(spec));
});
afterAll(() => store.close());

it('are columns of a training set as they are answered online', async () => {
  const plan = [...numbers.map((n, i) => [n, number(i)] as const), ...texts.map((n) => [n, text(`of ${n}`)] as const)];
  const about = { entityId: 'p1', eventTime: at(12) };
  const seen = { label: number(5), cohort: number(6), steps: number(7) };
  await store.ingest('parcels', [
    { source: 'plan', rows: [{ ...about, knownAt: at(1), values: Object.fromEntries(plan) }] },
    {
      source: 'seen',
      rows: [
        { ...about, knownAt: at(2), values: seen },
        // The latest by the question: the other is dated after it.
        { entityId: 'p1', eventTime: at(10), knownAt: at(2), values: seen },
      ],
    },
  ]);
  const label = {
    entityId: 'p1',
    entityTime: at(12),
    knownAt: at(14),
    value: 1,
    source: '',
    confidence: 1,
    revision: 1,
  };
  await store.label('parcels.label', [label], at(20));
  const [online] = (await store.read('parcels', [{ entityId: 'p1', time: at(11).getTime() }])).rows;
  const set = await store.build('parcels', at(20).toISOString());
  const [row] = await store.rowsOf(set);
  expect(set.numberFeatures.map((name) => row[name] ?? Number.NaN)).toEqual(online.numbers);
  expect(set.textFeatures.map((name) => row[name])).toEqual(online.texts);
  expect(row).toMatchObject({
    rid: 0,
    q_time: 1,
    left_out: 2,
    key_region: 3,
    select: 'of select',
    sums_by_select_24h: 5,
  });
  expect(row).toMatchObject({ label: 1, entity_id: 'p1', steps: 7, due_by_rid_24h: 6, overdue_by_left_out_24h: 0 });
});

/** Names that some part of the store has for itself, or that differ by case alone. */
const pool = [
  ...[
    'label',
    'cohort',
    'rid',
    'key_a',
    'entity_id',
    'Temp',
    'temp',
    'TEMP',
    'outcomes',
    'value',
    'source',
    'label_known_at',
  ],
  ...[
    'question_time',
    'prediction',
    'probability',
    'a',
    'b',
    'base',
    'floor',
    'select',
    'from',
    'order',
    'q',
    's',
    'seq',
    'v',
    'k',
  ],
];

it('whatever a new spec may be called, a training set can be built of it', async () => {
  const random = new Random(14);
  const draw = () => pool[random.integer(pool.length)];
  let accepted = 0;
  for (let i = 0; i < 400 && accepted < 12; i++) {
    const [number1, text1, seen1, seen2, as] = [draw(), draw(), draw(), draw(), draw()];
    const source = draw().toLowerCase();
    const inputs = { [number1]: 'number', [text1]: 'text' };
    const drawn = {
      apiVersion: 'driftloop/v1',
      kind: 'Model',
      metadata: { name: `drawn-${i}` },
      spec: {
        task: 'binary',
        entity: { name: 'parcel', time: 'due' },
        question: { lead: '1h' },
        request: { inputs: { ...inputs, due: 'time' }, source: 'plan' },
        sources: { plan: { columns: inputs }, [source]: { columns: { [seen1]: 'number', [seen2]: 'number' } } },
        features: [
          { input: number1 },
          { input: text1 },
          { latest: source, columns: [seen1], maxAge: '24h' },
          { window: source, aggregate: 'mean', of: seen2, as, over: ['24h'], by: text1 },
        ],
        label: { name: draw(), closeAfter: '12h', censorAfter: '48h' },
      },
    };
    const written = JSON.stringify(drawn);
    if (!isAccepted(written)) continue;
    accepted++;
    await store.declare(declared(written));
    const about = { entityId: 'p1', eventTime: at(12) };
    const values = { [number1]: number(1), [text1]: text('x') };
    await store.ingest(`drawn-${i}`, [
      { source: 'plan', rows: [{ ...about, knownAt: at(1), values }] },
      { source, rows: [{ ...about, knownAt: at(2), values: { [seen1]: number(2), [seen2]: number(3) } }] },
    ]);
    const label = {
      entityId: 'p1',
      entityTime: at(12),
      knownAt: at(14),
      value: 1,
      source: '',
      confidence: 1,
      revision: 1,
    };
    await store.label(`drawn-${i}.${drawn.spec.label.name}`, [label], at(20));
    expect({ spec: written, ...(await store.build(`drawn-${i}`, at(20).toISOString())) }).toMatchObject({ rows: 1 });
  }
  expect(accepted).toBe(12);
}, 60_000);

function isAccepted(spec: string): boolean {
  try {
    return Boolean(parseNewModelSpec(spec));
  } catch {
    return false;
  }
}
