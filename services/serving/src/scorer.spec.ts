import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Column, Random, train } from '@driftloop/algorithms';
import { featureColumns, featureLayout } from '@driftloop/contracts';
import { boosterGraph } from '@driftloop/onnx';
import { type Row, Scorer } from './scorer.js';
import { flights, graphOf, graphOfNaN, sha256 } from './testing/world.js';

const { numbers, texts } = featureLayout(flights);
const row: Row = { numbers: numbers.map((_, i) => i), texts: texts.map(() => 'AA') };
const rows = (n: number): Row[] => Array.from({ length: n }, () => row);

/** A graph with trees and a calibrator, as a training makes it. */
function boosted(): Uint8Array {
  const random = new Random('trained');
  const n = 500;
  const columns = featureColumns(flights).map(({ name, kind }): Column => {
    if (kind === 'text') return { name, kind: 'categorical', categories: ['AA'], codes: new Int32Array(n) };
    return { name, kind: 'numeric', values: Float64Array.from({ length: n }, () => random.normal(0, 100)) };
  });
  const [first, second] = columns.flatMap((column) => (column.kind === 'numeric' ? [column.values] : []));
  const labels = first.map((x, i) => (x + second[i] + random.normal(0, 100) > 0 ? 1 : 0));
  const model = train({ rows: n, columns, labels }, { trees: 20, leaves: 7, minRowsPerLeaf: 20 }, { seed: 1 });
  return boosterGraph(model, { kind: 'platt', a: 1.1, b: -0.07 }, flights);
}

describe('the scorer', () => {
  let folder: string;
  let scorer: Scorer;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'driftloop-'));
    scorer = new Scorer();
  });
  afterEach(async () => {
    await scorer.onApplicationShutdown();
    rmSync(folder, { recursive: true });
  });

  const load = async (bytes: Uint8Array): Promise<string> => {
    const key = sha256(bytes);
    const path = join(folder, key);
    writeFileSync(path, bytes);
    await scorer.load({ key, path, spec: flights, numbers, texts });
    return key;
  };

  it('gives each request the words of each graph on its own rows', async () => {
    const set = { keys: [await load(graphOf(0.2)), await load(graphOf(0.7)), await load(graphOfNaN())] };
    const asked = [1, 3, 600, 2].map((n) => scorer.score(set, rows(n)));
    for (const [i, n] of [1, 3, 600, 2].entries()) {
      const scored = await asked[i];
      expect(scored.probability(0, n - 1)).toBe(0.2);
      expect(scored.probability(1, n - 1)).toBe(0.7);
      expect(scored.probability(2, 0)).toBeNaN();
      expect([scored.error(0, 0), scored.error(2, n - 1)]).toEqual(['', 'the probability is NaN']);
      expect(scored.ms(0)).toBeGreaterThan(0);
    }
  });

  it('says of a graph that is not loaded that it is not, and goes on with the others', async () => {
    const set = { keys: [await load(graphOf(0.2)), 'f'.repeat(64)] };
    const scored = await scorer.score(set, rows(2));
    expect(scored.probability(0, 1)).toBe(0.2);
    expect(scored.error(1, 1)).toBe('it is not loaded');
    expect(scored.probability(1, 1)).toBeNaN();
  });

  it('answers a row the same to the last bit, whatever it is scored with', async () => {
    const set = { keys: [await load(boosted())] };
    const random = new Random('rows');
    const all = Array.from({ length: 300 }, () => ({ ...row, numbers: numbers.map(() => random.normal(0, 100)) }));
    const together = await scorer.score(set, all);
    const differ: number[] = [];
    for (const [i, one] of all.entries()) {
      const alone = await scorer.score(set, [one]);
      if (alone.probability(0, 0) !== together.probability(0, i)) differ.push(i);
    }
    expect(differ).toEqual([]);
  });

  it('fails the rows of one request alone where a graph cannot take them, and no others of the batch', async () => {
    const set = { keys: [await load(graphOf(0.2)), await load(graphOf(0.7))] };
    const broken = { ...row, texts: texts.map(() => undefined as unknown as string) };
    const asked = [rows(3), [broken], rows(5)].map((some) => scorer.score(set, some));
    const [first, bad, last] = await Promise.all(asked);
    expect([0, 1].map((graph) => bad.error(graph, 0) !== '')).toEqual([true, true]);
    for (const [scored, n] of [[first, 3] as const, [last, 5] as const]) {
      expect([scored.error(0, n - 1), scored.error(1, n - 1)]).toEqual(['', '']);
      expect([scored.probability(0, n - 1), scored.probability(1, 0)]).toEqual([0.2, 0.7]);
    }
  });

  it('refuses what is above its limit, retriably, and answers the rest', async () => {
    const set = { keys: [await load(graphOf(0.2))] };
    const asked = Array.from({ length: 21 }, () => scorer.score(set, rows(1000)));
    await expect(asked[20]).rejects.toMatchObject({ code: 'QUEUE_FULL', retriable: true });
    for (const scored of await Promise.all(asked.slice(0, 20))) expect(scored.probability(0, 999)).toBe(0.2);
    expect((await scorer.score(set, rows(1000))).error(0, 0)).toBe('');
  });

  it('loads a graph whose bytes have its key, and no other', async () => {
    const path = join(folder, 'graph');
    writeFileSync(path, graphOf(0.3));
    const key = sha256(graphOf(0.2));
    await expect(scorer.load({ key, path, spec: flights, numbers, texts })).rejects.toThrow(/they were changed/);
    expect(scorer.holds(key)).toBe(false);
    writeFileSync(path, graphOf(0.2));
    await scorer.load({ key, path, spec: flights, numbers, texts });
    expect(scorer.holds(key)).toBe(true);
    expect(sha256(readFileSync(path))).toBe(key);
  });
});
