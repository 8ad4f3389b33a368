/** Facts about what documents hold. */
import mongoose, { Schema } from 'mongoose';
import { collectionOf, type Fact, fresh } from './scene.js';

const { Binary } = mongoose.mongo;
const { ObjectId } = mongoose.Types;

export function describeValues(fact: Fact): void {
  fact('gives values back as they were stored', async (connection) => {
    const id = new ObjectId();
    const doc = {
      _id: id,
      text: 'ünï "quoted" \u0000 {"$date": 1}',
      numbers: [0, -1.5, 1e300, 2 ** 52 + 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      nan: Number.NaN,
      yes: true,
      no: false,
      none: null,
      at: new Date(1_362_000_000_123),
      long: new Date(-62_135_596_800_000),
      ids: [new ObjectId(), [new ObjectId()]],
      bytes: new Binary(Buffer.from([0, 1, 255])),
      nested: { deep: [{ at: new Date(0), empty: {}, list: [] }], 'with.dot': 1 },
      tagged: { $date: 5 },
      pattern: /a.b/i,
    };
    const collection = await collectionOf(connection);
    await collection.insertOne({ ...doc } as never);
    expect(await collection.findOne({ _id: id })).toEqual(doc);
  });

  fact('stores undefined as null and a Map as an object', async (connection) => {
    const collection = await collectionOf(connection);
    await collection.insertOne({ _id: 'a', gone: undefined, map: new Map([['k', { v: 1 }]]) } as never);
    expect(await collection.findOne({})).toEqual({ _id: 'a', gone: null, map: { k: { v: 1 } } });
  });

  fact('makes an _id where there is none', async (connection) => {
    const collection = await collectionOf(connection);
    const { insertedId } = await collection.insertOne({ n: 1 } as never);
    expect(insertedId).toBeInstanceOf(ObjectId);
    expect((await collection.findOne({ _id: insertedId }))!.n).toBe(1);
  });

  fact('takes strings, numbers, dates and objects as _id', async (connection) => {
    const ids = ['a', 7, new Date(5), { model: 'flights', day: 3 }, true];
    const collection = await collectionOf(
      connection,
      ids.map((_id) => ({ _id })),
    );
    for (const _id of ids) expect((await collection.findOne({ _id } as never))!._id).toEqual(_id);
    const again = collection.insertOne({ _id: { model: 'flights', day: 3 } } as never);
    await expect(again).rejects.toMatchObject({ code: 11000 });
  });

  fact('shares nothing with what it was given', async (connection) => {
    const collection = await collectionOf(connection);
    const doc = { _id: 'a', list: [1], inner: { n: 1 } };
    await collection.insertOne(doc as never);
    const set = { list: [5] };
    await collection.updateOne({ _id: 'a' } as never, { $set: { set } });
    doc.list.push(2);
    set.list.push(6);
    const found = (await collection.findOne({})) as unknown as { list: number[] };
    found.list.push(3);
    expect(await collection.findOne({})).toMatchObject({ list: [1], set: { list: [5] } });
  });

  fact('hydrates what mongoose has saved: maps, buffers, dates, subdocuments, timestamps', async (connection) => {
    const part = new Schema({ name: String, at: Date }, { _id: false });
    const schema = new Schema(
      { _id: String, sums: { type: Map, of: Number }, bytes: Buffer, parts: [part], at: Date, tags: [String] },
      { timestamps: true },
    );
    const Thing = connection.model(fresh(), schema);
    await Thing.create({ _id: 'a', sums: { x: 1 }, bytes: Buffer.from('hi'), parts: [{ name: 'p', at: new Date(3) }] });
    const thing = (await Thing.findById('a'))!;
    expect(thing.sums!.get('x')).toBe(1);
    expect(thing.bytes!.toString()).toBe('hi');
    expect(thing.parts[0].at).toEqual(new Date(3));
    expect(thing.get('createdAt')).toBeInstanceOf(Date);
    thing.sums!.set('y', 2);
    thing.tags.push('new');
    thing.parts.push({ name: 'q' });
    await thing.save();
    expect(await Thing.findById('a').lean()).toMatchObject({
      sums: { x: 1, y: 2 },
      tags: ['new'],
      parts: [{ name: 'p' }, { name: 'q' }],
    });
  });

  fact('lets only one of two savers win where the schema asks for optimistic concurrency', async (connection) => {
    const Thing = connection.model(fresh(), new Schema({ _id: String, n: Number }, { optimisticConcurrency: true }));
    await Thing.create({ _id: 'a', n: 0 });
    const [one, two] = [(await Thing.findById('a'))!, (await Thing.findById('a'))!];
    one.n = 1;
    two.n = 2;
    await one.save();
    await expect(two.save()).rejects.toMatchObject({ name: 'VersionError' });
    expect((await Thing.findById('a'))!.n).toBe(1);
  });
}
