/**
 * Generated operations, told twice: to a collection with indexes and to one without; and to mingo on plain arrays, where
 * mingo answers as mongod does. A seed that fails is printed with its step.
 */
import { find, update as mingoUpdate } from 'mingo';
import { Dice, document, filter, sort, update } from './generate.js';
import { collectionOf, type Fact } from './scene.js';

type Doc = Record<string, unknown>;
type Collection = Awaited<ReturnType<typeof collectionOf>>;

const indexes = [{ n: 1 }, { s: 1, n: -1 }, { at: -1, m: 1 }, { m: 1 }, { 'o.x': 1 }, { l: 1 }, { 'items.k': 1 }];
const partial = { partialFilterExpression: { n: { $gt: 0 } } };

const documents = (dice: Dice): Doc[] => Array.from({ length: 40 }, (_, i) => document(dice, i));

/** What an operation answers, or the code of its refusal. */
async function answer(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as { code?: number };
    if (code === undefined) throw error;
    return { code };
  }
}

const everything = (collection: Collection) => collection.find({}, { sort: { _id: 1 } } as never).toArray();

/** One change, by one of the ways to make it. */
function change(
  collection: Collection,
  way: number,
  step: number,
  asked: Doc,
  changes: Doc,
  order: [string, 1 | -1][],
) {
  const [where, how, sorted] = [asked as never, changes as never, { sort: order } as never];
  switch (way) {
    case 0:
      return collection.findOneAndUpdate(where, how, { ...(sorted as object), returnDocument: 'after' } as never);
    case 1:
      return collection.updateOne({ _id: step } as never, how);
    case 2:
      return collection.findOneAndDelete(where, sorted);
    case 3:
      return collection.updateOne({ ...asked, _id: 100 + step } as never, how, { upsert: true });
    default:
      return collection.updateMany({ ...asked, _id: { $lt: 20 } } as never, { $set: { m: step } });
  }
}

async function withAndWithout(plain: Collection, indexed: Collection, dice: Dice, step: number): Promise<void> {
  const asked = filter(dice);
  const options = { sort: sort(dice), skip: dice.roll(3), limit: dice.roll(5) } as never;
  const told = [step, asked, options];
  const found = (collection: Collection) => collection.find(asked as never, options).toArray();
  expect([...told, await found(indexed)]).toEqual([...told, await found(plain)]);
  const counted = (collection: Collection) => collection.countDocuments(asked as never);
  expect([...told, await counted(indexed)]).toEqual([...told, await counted(plain)]);
  const [way, changes, order] = [dice.roll(5), update(dice), sort(dice)];
  const changed = (collection: Collection) => answer(() => change(collection, way, step, asked, changes, order));
  expect([...told, way, changes, await changed(indexed)]).toEqual([...told, way, changes, await changed(plain)]);
}

/** Paths and operators on which mingo does not answer as mongod does are left out. */
function tame(dice: Dice): Doc {
  for (;;) {
    const asked = filter(dice);
    if (!/"items|"l|"m"|\$regex|\$nin|\$in/.test(JSON.stringify(asked))) return asked;
  }
}

const tameUpdate = (dice: Dice): Doc => {
  for (;;) {
    const changes = update(dice);
    if (!/"m"|\$mul|\$pull|\$sort|\$slice|\$pop|\$addToSet|-0/.test(JSON.stringify(changes))) return changes;
  }
};

async function againstMingo(collection: Collection, model: Doc[], dice: Dice, step: number): Promise<void> {
  const asked = tame(dice);
  const expected = find<Doc>(model, asked).all() as Doc[];
  const found = await collection.find(asked as never, { sort: { _id: 1 } } as never).toArray();
  expect([step, asked, found]).toEqual([step, asked, [...expected].sort((a, b) => Number(a._id) - Number(b._id))]);
  const changes = tameUpdate(dice);
  const { matchedCount } = await collection.updateMany(asked as never, changes as never);
  for (const doc of expected) mingoUpdate(doc, changes as never);
  expect([step, asked, changes, matchedCount]).toEqual([step, asked, changes, expected.length]);
  expect([step, asked, changes, await everything(collection)]).toEqual([step, asked, changes, model]);
}

export function describeDifferences(fact: Fact): void {
  fact('answers generated operations alike with and without indexes', async (connection) => {
    for (let seed = 1; seed <= 12; seed++) {
      const dice = new Dice(seed);
      const docs = documents(dice);
      const [plain, indexed] = [await collectionOf(connection, docs), await collectionOf(connection, docs)];
      for (const index of indexes)
        if (dice.roll(2)) await indexed.createIndex(index as never, dice.roll(4) ? {} : partial);
      for (let step = 0; step < 40; step++) await withAndWithout(plain, indexed, dice, step);
      expect(await everything(indexed)).toEqual(await everything(plain));
    }
  });

  fact('answers generated operations as mingo does on plain arrays', async (connection) => {
    for (let seed = 1; seed <= 12; seed++) {
      const dice = new Dice(1000 + seed);
      const model = documents(dice);
      const collection = await collectionOf(connection, model);
      for (const index of indexes) if (dice.roll(2)) await collection.createIndex(index as never);
      for (let step = 0; step < 25; step++) await againstMingo(collection, model, dice, step);
    }
  });
}
