/** Facts about finding documents. */
import mongoose from 'mongoose';
import { collectionOf, type Fact } from './scene.js';

const { ObjectId } = mongoose.Types;
const early = ObjectId.createFromHexString('0'.repeat(24));
const late = ObjectId.createFromHexString('f'.repeat(24));

/** Documents that differ in every way a filter can see. */
const zoo = [
  { _id: 1, n: 1, s: 'ab', at: new Date(1000), tags: ['x', 'y'], o: { a: 1, b: 2 } },
  { _id: 2, n: 2, s: 'AB', at: new Date(2000), tags: [], o: { b: 2, a: 1 } },
  {
    _id: 3,
    n: 3.5,
    s: 'b',
    tags: ['y', 'z'],
    items: [
      { k: 1, v: 5 },
      { k: 2, v: 6 },
    ],
    ref: early,
  },
  { _id: 4, n: null, s: '', items: [{ k: 1, v: 9 }], ref: late },
  { _id: 5, n: '2', tags: 'x', b: true },
  { _id: 6, n: Number.NaN, tags: [['x']], b: false, at: new Date(3000) },
  { _id: 7, n: [1, 5], s: 'abc' },
  { _id: 8, n: -1, o: null, items: [] },
] as const;

/** Filters and the _ids that they match, as mongod answers. */
const answers: readonly (readonly [object, readonly number[]])[] = [
  [{}, [1, 2, 3, 4, 5, 6, 7, 8]],
  [{ n: 1 }, [1, 7]],
  [{ n: '2' }, [5]],
  [{ n: null }, [4]],
  [{ s: null }, [5, 6, 8]],
  [{ n: { $ne: 1 } }, [2, 3, 4, 5, 6, 8]],
  [{ n: { $gt: 1 } }, [2, 3, 7]],
  [{ n: { $gte: 1, $lt: 3 } }, [1, 2, 7]],
  [{ n: { $lt: 0 } }, [8]],
  [{ n: { $lte: 2 } }, [1, 2, 7, 8]],
  [{ n: { $gt: '' } }, [5]],
  [{ s: { $gte: 'ab' } }, [1, 3, 7]],
  [{ s: { $lt: 'b' } }, [1, 2, 4, 7]],
  [{ at: { $gt: new Date(1000) } }, [2, 6]],
  [{ at: { $lte: new Date(2000), $gt: new Date(0) } }, [1, 2]],
  [{ ref: early }, [3]],
  [{ ref: { $gt: early } }, [4]],
  [{ b: true }, [5]],
  [{ n: { $in: [1, 2, 'q'] } }, [1, 2, 7]],
  [{ n: { $in: [] } }, []],
  [{ s: { $in: [null, 'b'] } }, [3, 5, 6, 8]],
  [{ n: { $nin: [1, 2] } }, [3, 4, 5, 6, 8]],
  [{ at: { $exists: true } }, [1, 2, 6]],
  [{ n: { $exists: true } }, [1, 2, 3, 4, 5, 6, 7, 8]],
  [{ tags: { $exists: false } }, [4, 7, 8]],
  [{ tags: 'x' }, [1, 5]],
  [{ tags: ['y', 'z'] }, [3]],
  [{ tags: { $all: ['x', 'y'] } }, [1]],
  [{ tags: { $size: 2 } }, [1, 3]],
  [{ tags: { $size: 0 } }, [2]],
  [{ o: { a: 1, b: 2 } }, [1]],
  [{ 'o.a': 1 }, [1, 2]],
  [{ 'items.k': 2 }, [3]],
  [{ 'items.0.v': { $gt: 5 } }, [4]],
  [{ items: { $elemMatch: { k: 1, v: { $gt: 6 } } } }, [4]],
  [{ 'items.v': { $gt: 5 }, 'items.k': 2 }, [3]],
  [{ n: { $elemMatch: { $gt: 4 } } }, [7]],
  [{ s: /^ab/ }, [1, 7]],
  [{ s: { $regex: '^ab$', $options: 'i' } }, [1, 2]],
  [{ s: { $not: /b/ } }, [4, 5, 6, 8, 2].sort((a, b) => a - b)],
  [{ n: { $not: { $gt: 1 } } }, [1, 4, 5, 6, 8]],
  [{ n: { $type: 'string' } }, [5]],
  [{ b: { $type: 'bool' } }, [5, 6]],
  [{ $or: [{ n: 1 }, { s: 'b' }] }, [1, 3, 7]],
  [{ $or: [{ _id: 2 }, { at: new Date(3000) }], n: { $exists: true } }, [2, 6]],
  [{ $and: [{ n: { $gt: 0 } }, { n: { $lt: 2 } }] }, [1, 7]],
  [{ $nor: [{ n: { $gt: 0 } }, { b: { $exists: true } }] }, [4, 8]],
  [{ _id: { $in: [8, 1, 99] } }, [1, 8]],
  [{ _id: { $gt: 6 } }, [7, 8]],
];

const indexes = [
  { n: 1 },
  { s: 1, n: -1 },
  { at: -1 },
  { tags: 1 },
  { 'items.k': 1 },
  { 'o.a': 1 },
  { ref: 1 },
  { b: 1 },
];

export function describeQueries(fact: Fact): void {
  for (const indexed of [false, true]) {
    fact(`answers every filter rightly ${indexed ? 'with' : 'without'} indexes`, async (connection) => {
      const collection = await collectionOf(connection, zoo);
      if (indexed) for (const index of indexes) await collection.createIndex(index as never);
      for (const [filter, expected] of answers) {
        const found = await collection.find(filter as never).toArray();
        const ids = found.map(({ _id }) => _id as unknown as number).sort((a, b) => a - b);
        expect([filter, ids]).toEqual([filter, expected]);
        expect([filter, await collection.countDocuments(filter as never)]).toEqual([filter, expected.length]);
      }
    });
  }

  fact('sorts by the order of types, then of values, with or without an index', async (connection) => {
    const values = [null, Number.NaN, Number.NEGATIVE_INFINITY, -2, 0, 1.5, 10, '', 'B', 'a', 'é', { a: 1 }, { a: 2 }];
    const more = [early, late, false, true, new Date(-5), new Date(0), new Date(1e12)];
    const order = [...values, ...more].map((v, _id) => ({ _id, v }));
    const mixed = [...order].sort((a, b) => ((a._id * 7) % 20) - ((b._id * 7) % 20));
    const collection = await collectionOf(connection, mixed);
    for (const turn of [1, 2]) {
      const rising = await collection.find({}, { sort: { v: 1 } } as never).toArray();
      expect(rising.map(({ _id }) => _id)).toEqual(order.map(({ _id }) => _id));
      const falling = await collection.find({}, { sort: { v: -1 } } as never).toArray();
      expect(falling.map(({ _id }) => _id)).toEqual(order.map(({ _id }) => _id).reverse());
      if (turn === 1) await collection.createIndex({ v: 1 });
    }
  });

  fact('skips and limits in sorted order', async (connection) => {
    const docs = Array.from({ length: 50 }, (_, _id) => ({ _id, group: _id % 3, n: (_id * 17) % 50 }));
    const collection = await collectionOf(connection, docs);
    await collection.createIndex({ group: 1, n: 1 });
    const expected = docs.filter(({ group }) => group === 1).sort((a, b) => b.n - a.n);
    for (const filter of [{ group: 1 }, { group: 1, n: { $not: { $gt: 1000 } } }]) {
      const page = await collection.find(filter, { sort: { n: -1 }, skip: 3, limit: 5 } as never).toArray();
      expect(page.map(({ _id }) => _id)).toEqual(expected.slice(3, 8).map(({ _id }) => _id));
      const one = await collection.findOne(filter, { sort: { n: 1 } } as never);
      expect(one!._id).toBe(expected.at(-1)!._id);
    }
  });

  fact('reads a cursor to its end, one by one, in order', async (connection) => {
    const docs = Array.from({ length: 400 }, (_, _id) => ({ _id, n: 400 - _id }));
    const collection = await collectionOf(connection, docs);
    await collection.createIndex({ n: 1 });
    const seen: unknown[] = [];
    for await (const doc of collection.find({ n: { $gt: 10 } }, { sort: { n: 1 } } as never)) seen.push(doc.n);
    expect(seen).toEqual(Array.from({ length: 390 }, (_, i) => i + 11));
  });

  fact('shows the fields that a projection asks for', async (connection) => {
    const collection = await collectionOf(connection, [{ _id: 1, a: 1, b: { c: 2, d: 3 }, l: [{ x: 1, y: 2 }, 5] }]);
    const show = (projection: object) => collection.findOne({}, { projection } as never);
    expect(await show({ a: 1 })).toEqual({ _id: 1, a: 1 });
    expect(await show({ 'b.c': 1, _id: 0 })).toEqual({ b: { c: 2 } });
    expect(await show({ b: 0, l: 0 })).toEqual({ _id: 1, a: 1 });
    expect(await show({ 'b.d': 0, 'l.x': 0, _id: 0 })).toEqual({ a: 1, b: { c: 2 }, l: [{ y: 2 }, 5] });
    expect(await show({ 'l.y': 1 })).toEqual({ _id: 1, l: [{ y: 2 }] });
    expect(await show({ _id: 1 })).toEqual({ _id: 1 });
    expect(await show({ _id: 0 })).toEqual({ a: 1, b: { c: 2, d: 3 }, l: [{ x: 1, y: 2 }, 5] });
    await expect(show({ a: 1, b: 0 })).rejects.toMatchObject({ code: 31254 });
  });

  fact('lists distinct values, those in arrays too', async (connection) => {
    const collection = await collectionOf(connection, [{ v: 3 }, { v: [1, 3] }, { v: 'a' }, { w: 1 }, { v: null }]);
    const values = await collection.distinct('v');
    expect(new Set(values)).toEqual(new Set([3, 1, 'a', null]));
  });

  fact('aggregates: match, group, sort, project, unwind, count', async (connection) => {
    const docs = Array.from({ length: 30 }, (_, _id) => ({ _id, day: _id % 3, n: _id, tags: ['t', `t${_id % 2}`] }));
    const collection = await collectionOf(connection, docs);
    const sums = await collection
      .aggregate([
        { $match: { n: { $gte: 10 } } },
        { $group: { _id: '$day', sum: { $sum: '$n' }, least: { $min: '$n' }, rows: { $sum: 1 } } },
        { $sort: { _id: 1 } },
      ])
      .toArray();
    expect(sums).toEqual(
      [
        { _id: 0, sum: 126, least: 12, rows: 6 + 0 },
        { _id: 1, sum: 133, least: 10, rows: 7 },
        { _id: 2, sum: 140, least: 11, rows: 7 },
      ].map((row) => ({ ...row, ...expectedOf(docs, row._id) })),
    );
    const tags = await collection
      .aggregate([{ $unwind: '$tags' }, { $group: { _id: '$tags', rows: { $sum: 1 } } }, { $sort: { _id: 1 } }])
      .toArray();
    expect(tags).toEqual([
      { _id: 't', rows: 30 },
      { _id: 't0', rows: 15 },
      { _id: 't1', rows: 15 },
    ]);
    expect(await collection.aggregate([{ $match: { day: 1 } }, { $count: 'rows' }]).toArray()).toEqual([{ rows: 10 }]);
  });

  fact('adds in a group without losing the small beside the large', async (connection) => {
    const numbers = [0.25, 1e17, 0.5, -1e17, 1];
    const collection = await collectionOf(
      connection,
      numbers.map((n, _id) => ({ _id, n })),
    );
    const group = { _id: null, sum: { $sum: '$n' }, mean: { $avg: '$n' } };
    const [found] = await collection.aggregate([{ $group: group }]).toArray();
    expect(found).toEqual({ _id: null, sum: 1.75, mean: 0.35 });
  });
}

function expectedOf(docs: readonly { day: number; n: number }[], day: number) {
  const ns = docs.filter((doc) => doc.day === day && doc.n >= 10).map(({ n }) => n);
  return { sum: ns.reduce((a, b) => a + b, 0), least: Math.min(...ns), rows: ns.length };
}
