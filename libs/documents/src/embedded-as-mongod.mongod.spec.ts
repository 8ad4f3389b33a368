/** The embedded documents answer generated operations as a real mongod does, or refuse them by name. */
import { randomUUID } from 'node:crypto';
import { inspect, isDeepStrictEqual } from 'node:util';
import { describeOn } from '@driftloop/testing/servers';
import type { Connection } from 'mongoose';
import { openMongod } from './mongod.js';
import { temporaryDocuments } from './testing/embedded-ground.js';
import { Dice } from './testing/generate.js';
import { type Operation, reading, wildDocument, writing } from './testing/generate-wild.js';
import { collectionOf } from './testing/scene.js';

type Doc = Record<string, unknown>;
type Collection = Awaited<ReturnType<typeof collectionOf>>;

const indexes: readonly [Doc, Doc][] = [
  [{ n: 1 }, {}],
  [{ s: 1, n: -1 }, {}],
  [{ m: 1 }, {}],
  [{ 'o.x': 1 }, { partialFilterExpression: { n: { $gt: 0 } } }],
  [{ at: -1 }, { sparse: true }],
  [{ 'items.k': 1 }, {}],
  [{ w: 1 }, {}],
];

const first = 5001;
const seeds = 120;
/** Histories side by side: each has its own collections, and mongod takes its time. */
const together = 8;
const steps = 20;

describeOn(['mongod'], 'the embedded documents beside mongod', ({ mongod }) => {
  let embedded: Awaited<ReturnType<typeof temporaryDocuments>>;
  let real: Connection;
  beforeAll(async () => {
    embedded = await temporaryDocuments();
    real = await openMongod(mongod.uri, `spec-differences-${randomUUID().slice(0, 8)}`);
  });
  afterAll(async () => {
    await embedded.close();
    await real.dropDatabase();
    await real.close();
  });

  it('answer alike, or refuse by name', async () => {
    const tally = { asked: 0, refused: 0, differ: [] as string[] };
    const left = Array.from({ length: seeds }, (_, i) => first + i);
    const run = async () => {
      for (let seed = left.shift(); seed !== undefined; seed = left.shift()) await history(seed, tally);
    };
    await Promise.all(Array.from({ length: together }, run));
    // which history ends first is mongod's affair
    tally.differ.sort();
    expect(tally.differ.join('\n\n')).toBe('');
    expect(tally.asked).toBeGreaterThan(seeds * steps);
    // what is refused must stay the exception: else nothing was compared
    expect(tally.refused).toBeLessThan(tally.asked / 10);
  }, 600_000);

  /** One history of operations on two collections; it ends at the first difference of what is stored. */
  async function history(seed: number, tally: { asked: number; refused: number; differ: string[] }) {
    const dice = new Dice(seed);
    const docs = Array.from({ length: 40 }, (_, i) => wildDocument(dice, i));
    const [ours, theirs] = [await collectionOf(embedded.connection, docs), await collectionOf(real, docs)];
    for (const [key, options] of indexes) {
      if (dice.roll(3)) continue;
      const built = { method: 'createIndex', args: [key, options] };
      compare(seed, -1, built, await answer(ours, built), await answer(theirs, built), tally.differ);
    }
    for (let step = 0; step < steps; step++) {
      for (const operation of [reading(dice), reading(dice), writing(dice, step)]) {
        tally.asked++;
        const found = await answer(ours, operation);
        if (found === refused) tally.refused++;
        else compare(seed, step, operation, found, await answer(theirs, operation), tally.differ);
      }
      const kept = { method: 'find', args: [{}, { sort: [['_id', 1]] }] };
      if (!compare(seed, step, kept, await answer(ours, kept), await answer(theirs, kept), tally.differ)) return;
    }
  }
});

function compare(
  seed: number,
  step: number,
  { method, args }: Operation,
  ours: unknown,
  theirs: unknown,
  into: string[],
) {
  const same = /find|aggregate/.test(method) ? isSame : isDeepStrictEqual;
  if (same(ours, theirs)) return true;
  const [found, expected] = apart(ours, theirs);
  const shown = (value: unknown) => inspect(value, { depth: 9, breakLength: 200 }).slice(0, 700);
  into.push(
    `seed ${seed} step ${step}: ${method} ${shown(args)}\n  embedded ${shown(found)}\n  mongod   ${shown(expected)}`,
  );
  return false;
}

/** Documents are the same where their fields stand in the same order too: equality of objects minds it. */
function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other) && JSON.stringify(one) === JSON.stringify(other);
}

/** Of two lists, what is in one alone. */
function apart(ours: unknown, theirs: unknown): [unknown, unknown] {
  if (!Array.isArray(ours) || !Array.isArray(theirs)) return [ours, theirs];
  const without = (one: unknown[], other: unknown[]) => one.filter((item) => !other.some((same) => isSame(item, same)));
  const parts: [unknown[], unknown[]] = [without(ours, theirs), without(theirs, ours)];
  return parts.some((part) => part.length) ? parts : [ours, theirs];
}

const refused = Symbol('refused by name');

/** What an operation answers: plain values, or the code of its refusal. */
async function answer(collection: Collection, { method, args, unordered }: Operation): Promise<unknown> {
  const ask = (collection as unknown as Record<string, (...args: unknown[]) => unknown>)[method];
  try {
    const result = await ask.apply(collection, [...args]);
    const listed = result as { toArray?: () => Promise<unknown[]> };
    const found = typeof listed?.toArray === 'function' ? await listed.toArray() : result;
    return unordered ? inOrder(found as unknown[]) : plainOf(found);
  } catch (error) {
    if ((error as Error).name === 'UnsupportedByEmbedded') return refused;
    const { code } = error as { code?: number };
    return code === undefined ? { broken: String(error) } : { code };
  }
}

const counts = ['insertedCount', 'matchedCount', 'modifiedCount', 'deletedCount', 'upsertedCount', 'upsertedIds'];

/** An answer as plain values; of a bulk's result, what it counts. Zero has no sign in either store's integers. */
function plainOf(value: unknown): unknown {
  if (value === 0) return 0;
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if ('_bsontype' in value) return String(value);
  // an array of this realm: SQLite's rows come in another's
  if (Array.isArray(value)) return Array.from(value, plainOf);
  const names = 'upsertedIds' in value ? counts : Object.keys(value);
  return Object.fromEntries(names.map((name) => [name, plainOf((value as Doc)[name])]));
}

const inOrder = (found: unknown[]) =>
  (plainOf(found) as unknown[])
    .map((item) => [inspect(item, { depth: 9, sorted: true }), item] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, item]) => item);
