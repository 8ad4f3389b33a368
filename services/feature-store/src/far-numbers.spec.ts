/** Means of numbers that are large, small, or both: exact, and the same online, offline and in any order. */
import type { SourceRow } from '@driftloop/contracts';
import { declared, number, text } from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';

const hour = 3_600_000;
const planned = Date.UTC(2020, 2, 25, 12);
const spec = `
apiVersion: driftloop/v1
kind: Model
metadata: { name: payments }
spec:
  task: binary
  entity: { name: payment, time: due }
  question: { lead: 1h }
  request: { inputs: { payer: text, due: time }, source: plan }
  sources: { plan: { columns: { payer: text } }, paid: { columns: { amount: number } } }
  features:
    - { window: paid, aggregate: mean, of: amount, as: amount, by: payer, over: [24h] }
    - { window: paid, aggregate: mean, of: amount, clip: [-1000, 2e12], as: clipped, by: payer, over: [24h] }
  label: { name: late, closeAfter: 12h, censorAfter: 48h }
`;

/** Amounts of a payer, and their mean. */
const payers: [string, number[], number][] = [
  ['trillions', [1.7e12, 1.8e12], 1.75e12],
  ['milliseconds', [1_700_000_000_001, 1_700_000_000_004], 1_700_000_000_002.5],
  ['a float', [3e38, -3e38, 6], 2],
  ['tiny', [1e-12, 3e-12], 2e-12],
  ['one tenth', [0.1, 0.1, 0.1, 0.1], 0.1],
  ['what cancels', [2 ** 60, 0.75, -(2 ** 60)], 0.25],
  ['below zero', [-1.7e12, -1.8e12], -1.75e12],
  ['small whole numbers', [1, 2, 4, 9], 4],
];

const fact = (entityId: string, event: number, values: SourceRow['values']): SourceRow => ({
  ...{ entityId, eventTime: new Date(event), knownAt: new Date(event), values },
});
const paid = payers.flatMap(([payer, amounts]) => [
  ...[fact(payer, planned - 20 * hour, { amount: { kind: undefined } })],
  ...amounts.map((amount, i) => fact(payer, planned - 20 * hour + (i + 1) * 60_000, { amount: number(amount) })),
]);

async function opened(rows: SourceRow[]): Promise<Running> {
  const store = await runFeatureStore();
  await store.declare(declared(spec));
  const plan = payers.map(([payer]) => fact(payer, planned - 30 * hour, { payer: text(payer) }));
  await store.ingest('payments', [
    { source: 'plan', rows: plan },
    {
      source: 'plan',
      rows: payers.map(([payer]) => ({ ...fact(payer, planned, { payer: text(payer) }), knownAt: plan[0].knownAt })),
    },
    ...rows.map((row) => ({ source: 'paid', rows: [row] })),
  ]);
  await store.label(
    'payments.late',
    payers.map(([payer]) => ({
      ...{ entityId: payer, entityTime: new Date(planned), knownAt: new Date(planned + hour), value: 1 },
      ...{ source: 'x', confidence: 1, revision: 1 },
    })),
  );
  return store;
}

it.each([
  ['in order', paid],
  ['backwards', paid.toReversed()],
])('means of numbers far from one are exact, online and offline, with rows %s', async (_how, rows) => {
  const store = await opened(rows);
  try {
    const questions = payers.map(([payer]) => ({ entityId: payer, time: planned - hour }));
    const online = (await store.read('payments', questions)).rows;
    const set = await store.build('payments', '2020-04-01T00:00:00Z');
    const offline = new Map((await store.rowsOf(set)).map((row) => [row.entity_id, row]));
    const [at, clipped] = ['amount_by_payer_24h', 'clipped_by_payer_24h'].map((name) =>
      set.numberFeatures.indexOf(name),
    );
    for (const [i, [payer, amounts, mean]] of payers.entries()) {
      expect([payer, online[i].numbers[at]]).toEqual([payer, mean]);
      expect([payer, offline.get(payer)!.amount_by_payer_24h]).toEqual([payer, mean]);
      const within = amounts.map((amount) => Math.max(-1000, Math.min(2e12, amount)));
      const near = within.reduce((sum, x) => sum + x, 0) / within.length;
      expect(online[i].numbers[clipped] / near).toBeCloseTo(1, 9);
      expect([payer, offline.get(payer)!.clipped_by_payer_24h]).toEqual([payer, online[i].numbers[clipped]]);
    }
  } finally {
    await store.close();
  }
});

it('a number that no training takes is refused by name, and the rows beside it stand', async () => {
  const store = await opened([]);
  const rows = [fact('a', planned, { amount: number(3.5e38) }), fact('b', planned, { amount: number(-3.4e38) })];
  const [reply] = await store.ingest('payments', [{ source: 'paid', rows }]);
  expect(reply).toMatchObject({ accepted: 1, rejected: [{ index: 0, code: 'NUMBER_TOO_LARGE' }] });
  expect(reply.rejected[0].reason).toMatch(/"amount" is 3.5e\+38; send a number within ±3.4e\+38/);
  await store.close();
});
