/** Facts about changing documents. */
import { collectionOf, type Fact } from './scene.js';

/** A document, an update, and the document after it, as mongod leaves it. */
const updates: readonly (readonly [object, object, object])[] = [
  [{ n: 1 }, { $set: { n: 2, 'a.b.c': 3 } }, { n: 2, a: { b: { c: 3 } } }],
  [{ l: [1, 2] }, { $set: { 'l.1': 9, 'l.3': 7 } }, { l: [1, 9, null, 7] }],
  [{ l: [{ v: 1 }] }, { $set: { 'l.0.w': 2 } }, { l: [{ v: 1, w: 2 }] }],
  [
    { n: 1, o: { a: 1, b: 2 }, l: [1, 2] },
    { $unset: { n: '', 'o.a': 1, 'l.0': 1, x: 1 } },
    { o: { b: 2 }, l: [null, 2] },
  ],
  [{ n: 1 }, { $inc: { n: 2.5, m: 4, 'o.k': 1 } }, { n: 3.5, m: 4, o: { k: 1 } }],
  [{ n: 3 }, { $mul: { n: 2, m: 5 } }, { n: 6, m: 0 }],
  [{ n: 3, m: 3, s: 'b' }, { $min: { n: 2, m: 9, s: 'a', k: 1 } }, { n: 2, m: 3, s: 'a', k: 1 }],
  [{ n: 3, m: 3 }, { $max: { n: 2, m: 9, k: 1 } }, { n: 3, m: 9, k: 1 }],
  [{ at: new Date(5) }, { $max: { at: new Date(9) } }, { at: new Date(9) }],
  [{ l: [1] }, { $push: { l: 2, m: { a: 1 } } }, { l: [1, 2], m: [{ a: 1 }] }],
  [{ l: [1] }, { $push: { l: { $each: [5, 3], $sort: 1, $slice: -2 } } }, { l: [3, 5] }],
  [{ l: [1] }, { $push: { l: { $each: [5, 3], $position: 0, $slice: 2 } } }, { l: [5, 3] }],
  [{ l: [{ k: 2 }] }, { $push: { l: { $each: [{ k: 1 }], $sort: { k: 1 } } } }, { l: [{ k: 1 }, { k: 2 }] }],
  [{ l: [1, 2] }, { $addToSet: { l: { $each: [2, 3, 3] }, m: 1 } }, { l: [1, 2, 3], m: [1] }],
  [{ l: [{ a: 1 }] }, { $addToSet: { l: { a: 1 } } }, { l: [{ a: 1 }] }],
  [{ l: [1, 2, 3], m: [1, 2] }, { $pop: { l: 1, m: -1 } }, { l: [1, 2], m: [2] }],
  [{ l: [1, 2, 3, 2] }, { $pull: { l: 2 } }, { l: [1, 3] }],
  [{ l: [1, 5, 9] }, { $pull: { l: { $gt: 4 } } }, { l: [1] }],
  [
    {
      l: [
        { k: 1, v: 1 },
        { k: 2, v: 1 },
      ],
    },
    { $pull: { l: { k: { $in: [2, 3] } } } },
    { l: [{ k: 1, v: 1 }] },
  ],
  [{ l: [1, 2, 3, 1] }, { $pullAll: { l: [1, 3] } }, { l: [2] }],
  [
    {
      l: [
        { k: 1, v: 1 },
        { k: 2, v: 1 },
      ],
    },
    { $inc: { 'l.$[].v': 1 } },
    {
      l: [
        { k: 1, v: 2 },
        { k: 2, v: 2 },
      ],
    },
  ],
  [{ n: 1 }, { $setOnInsert: { n: 5 }, $set: { m: 1 } }, { n: 1, m: 1 }],
];

/** Updates that mongod refuses, with its code. */
const refused: readonly (readonly [object, object, number])[] = [
  [{ n: 'x' }, { $inc: { n: 1 } }, 14],
  [{ n: 1 }, { $push: { n: 1 } }, 2],
  [{ n: 1 }, { $set: { 'n.a': 1 } }, 28],
  [{ n: 1 }, { $set: { n: 1 }, $inc: { n: 1 } }, 40],
  [{ n: 1 }, { $set: { 'a.b': 1, a: 1 } }, 40],
  [{ n: 1 }, { $set: { _id: 'other' } }, 66],
];

export function describeWrites(fact: Fact): void {
  fact('applies every update operator', async (connection) => {
    const collection = await collectionOf(connection);
    for (const [i, [before, update, after]] of updates.entries()) {
      await collection.insertOne({ _id: i, ...before } as never);
      const { modifiedCount } = await collection.updateOne({ _id: i } as never, update as never);
      expect([update, await collection.findOne({ _id: i } as never)]).toEqual([update, { _id: i, ...after }]);
      expect([update, modifiedCount]).toEqual([update, JSON.stringify(before) === JSON.stringify(after) ? 0 : 1]);
    }
  });

  fact('refuses updates that make no sense, and changes nothing', async (connection) => {
    const collection = await collectionOf(connection);
    for (const [i, [before, update, code]] of refused.entries()) {
      await collection.insertOne({ _id: i, ...before } as never);
      await expect(collection.updateOne({ _id: i } as never, update as never)).rejects.toMatchObject({ code });
      expect(await collection.findOne({ _id: i } as never)).toEqual({ _id: i, ...before });
    }
  });

  fact('changes array elements by array filters', async (connection) => {
    const collection = await collectionOf(connection, [
      {
        _id: 1,
        l: [
          { k: 1, v: 0 },
          { k: 2, v: 0 },
        ],
      },
    ]);
    const arrayFilters = [{ 'e.k': { $gt: 1 } }];
    await collection.updateOne({ _id: 1 } as never, { $set: { 'l.$[e].v': 7 } }, { arrayFilters });
    expect((await collection.findOne({}))!.l).toEqual([
      { k: 1, v: 0 },
      { k: 2, v: 7 },
    ]);
  });

  fact('says how many matched and how many changed', async (connection) => {
    const collection = await collectionOf(connection, [{ n: 1 }, { n: 1 }, { n: 2 }]);
    const many = await collection.updateMany({ n: { $gte: 1 } }, { $set: { n: 2 } });
    expect(many).toMatchObject({ matchedCount: 3, modifiedCount: 2, upsertedCount: 0, upsertedId: null });
    expect(await collection.updateOne({ n: 9 }, { $set: { n: 1 } })).toMatchObject({ matchedCount: 0 });
    expect(await collection.deleteOne({ n: 2 })).toMatchObject({ deletedCount: 1 });
    expect(await collection.deleteMany({ n: 2 })).toMatchObject({ deletedCount: 2 });
    expect(await collection.countDocuments({})).toBe(0);
  });

  fact('upserts from the equalities of the filter', async (connection) => {
    const collection = await collectionOf(connection);
    const filter = { _id: 'k', 'a.b': 1, n: { $gt: 5 }, s: { $eq: 'x' } };
    const update = { $setOnInsert: { born: 1 }, $inc: { hits: 1 } };
    const first = await collection.updateOne(filter as never, update, { upsert: true });
    expect(first).toMatchObject({ matchedCount: 0, upsertedCount: 1, upsertedId: 'k' });
    expect(await collection.findOne({})).toEqual({ _id: 'k', a: { b: 1 }, s: 'x', born: 1, hits: 1 });
    const second = await collection.updateOne({ _id: 'k' } as never, update, { upsert: true });
    expect(second).toMatchObject({ matchedCount: 1, modifiedCount: 1, upsertedCount: 0 });
    expect(await collection.findOne({})).toMatchObject({ born: 1, hits: 2 });
    await expect(collection.updateOne(filter as never, update, { upsert: true })).rejects.toMatchObject({
      code: 11000,
    });
  });

  fact('replaces a document whole, but for its _id', async (connection) => {
    const collection = await collectionOf(connection, [{ _id: 1, a: 1, b: 2 }]);
    await collection.replaceOne({ _id: 1 } as never, { c: 3 });
    expect(await collection.find({}).toArray()).toEqual([{ _id: 1, c: 3 }]);
    await collection.replaceOne({ _id: 2 } as never, { d: 4 }, { upsert: true });
    expect(await collection.findOne({ _id: 2 } as never)).toEqual({ _id: 2, d: 4 });
  });

  fact('finds and changes in one step, giving the document before or after', async (connection) => {
    const collection = await collectionOf(connection, [
      { _id: 1, n: 1 },
      { _id: 2, n: 5 },
    ]);
    const after = { returnDocument: 'after' } as const;
    expect(await collection.findOneAndUpdate({ n: 1 }, { $inc: { n: 1 } })).toEqual({ _id: 1, n: 1 });
    expect(await collection.findOneAndUpdate({ n: 2 }, { $inc: { n: 1 } }, after)).toEqual({ _id: 1, n: 3 });
    expect(await collection.findOneAndUpdate({ n: 99 }, { $inc: { n: 1 } }, after)).toBeNull();
    const latest = { sort: { n: -1 }, projection: { n: 1, _id: 0 }, ...after } as const;
    expect(await collection.findOneAndUpdate({}, { $set: { n: 7 } }, latest)).toEqual({ n: 7 });
    expect(await collection.findOneAndReplace({ _id: 1 } as never, { m: 1 }, after)).toEqual({ _id: 1, m: 1 });
    const made = await collection.findOneAndUpdate({ _id: 3 } as never, { $set: { n: 1 } }, { upsert: true, ...after });
    expect(made).toEqual({ _id: 3, n: 1 });
    expect(await collection.findOneAndDelete({}, { sort: { _id: -1 } })).toEqual({ _id: 3, n: 1 });
    expect(await collection.findOneAndDelete({ n: 99 })).toBeNull();
    const told = await collection.findOneAndUpdate(
      { _id: 2 } as never,
      { $set: { n: 8 } },
      { includeResultMetadata: true },
    );
    expect(told).toMatchObject({ value: { n: 7 }, lastErrorObject: { n: 1, updatedExisting: true } });
  });

  fact('inserts many in order up to the first duplicate, or all others unordered', async (connection) => {
    const collection = await collectionOf(connection, [{ _id: 2 }]);
    const docs = () => [{ _id: 1 }, { _id: 2 }, { _id: 3 }] as never[];
    const ordered = await collection.insertMany(docs()).catch((error) => error);
    expect(ordered).toMatchObject({ code: 11000, name: 'MongoBulkWriteError', insertedCount: 1 });
    expect(ordered.writeErrors[0].index).toBe(1);
    const unordered = await collection.insertMany(docs(), { ordered: false }).catch((error) => error);
    expect(unordered).toMatchObject({ code: 11000, insertedCount: 1 });
    expect(unordered.writeErrors.map(({ index }: { index: number }) => index)).toEqual([0, 1]);
    expect(await collection.countDocuments({})).toBe(3);
  });

  fact('writes in bulk and tallies', async (connection) => {
    const collection = await collectionOf(connection, [
      { _id: 1, n: 1 },
      { _id: 2, n: 1 },
    ]);
    const result = await collection.bulkWrite([
      { insertOne: { document: { _id: 3, n: 1 } as never } },
      { updateMany: { filter: { n: 1 }, update: { $inc: { n: 1 } } } },
      { updateOne: { filter: { _id: 9 } as never, update: { $set: { n: 9 } }, upsert: true } },
      { replaceOne: { filter: { _id: 1 } as never, replacement: { m: 1 } } },
      { deleteOne: { filter: { _id: 2 } as never } },
    ]);
    expect(result).toMatchObject({
      insertedCount: 1,
      matchedCount: 4,
      modifiedCount: 4,
      upsertedCount: 1,
      deletedCount: 1,
    });
    expect(result.upsertedIds).toEqual({ 2: 9 });
    const failing = [{ insertOne: { document: { _id: 1 } } }, { insertOne: { document: { _id: 7 } } }] as never[];
    await expect(collection.bulkWrite(failing)).rejects.toMatchObject({ code: 11000, name: 'MongoBulkWriteError' });
    expect(await collection.countDocuments({ _id: 7 } as never)).toBe(0);
    const unordered = await collection.bulkWrite(failing, { ordered: false }).catch((error) => error);
    expect(unordered).toMatchObject({ code: 11000, insertedCount: 1 });
  });

  fact('keeps one of two concurrent claims', async (connection) => {
    const collection = await collectionOf(connection, [{ _id: 'job', state: 'queued', attempt: 0 }]);
    const claim = (owner: string) =>
      collection.findOneAndUpdate({ state: 'queued' }, { $set: { state: 'taken', owner }, $inc: { attempt: 1 } });
    const claims = await Promise.all(['a', 'b', 'c'].map(claim));
    expect(claims.filter(Boolean).length).toBe(1);
    expect((await collection.findOne({}))!.attempt).toBe(1);
  });
}
