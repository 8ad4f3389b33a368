/** Facts about declared indexes. */
import mongoose, { Schema } from 'mongoose';
import { collectionOf, type Fact, fresh } from './scene.js';

export function describeIndexes(fact: Fact): void {
  fact('refuses a second document with the same unique key, compound or single', async (connection) => {
    const collection = await collectionOf(connection, [{ _id: 1, a: 1, b: 'x' }]);
    await collection.createIndex({ a: 1, b: -1 }, { unique: true });
    const error = await collection.insertOne({ _id: 2, a: 1, b: 'x' } as never).catch((reason) => reason);
    expect(error).toMatchObject({ code: 11000, name: 'MongoServerError', keyValue: { a: 1, b: 'x' } });
    expect(error.message).toMatch(/E11000 duplicate key error collection: .* index: a_1_b_-1 dup key/);
    await collection.insertOne({ _id: 2, a: 1, b: 'y' } as never);
    await expect(collection.updateOne({ _id: 2 } as never, { $set: { b: 'x' } })).rejects.toMatchObject({
      code: 11000,
    });
    expect((await collection.findOne({ _id: 2 } as never))!.b).toBe('y');
  });

  fact('counts a missing unique field as null, once; sparse and partial ones let it be', async (connection) => {
    const collection = await collectionOf(connection);
    await collection.createIndex({ u: 1 }, { unique: true });
    await collection.createIndex({ s: 1 }, { unique: true, sparse: true });
    await collection.createIndex({ p: 1 }, { unique: true, partialFilterExpression: { live: true, n: { $gt: 5 } } });
    await collection.insertOne({ _id: 1 } as never);
    await expect(collection.insertOne({ _id: 2 } as never)).rejects.toMatchObject({ code: 11000 });
    await collection.insertOne({ _id: 2, u: 2, s: 1, p: 1, live: true, n: 6 } as never);
    await expect(collection.insertOne({ u: 3, s: 1 } as never)).rejects.toMatchObject({ code: 11000 });
    await expect(collection.insertOne({ u: 3, p: 1, live: true, n: 7 } as never)).rejects.toMatchObject({
      code: 11000,
    });
    await collection.insertOne({ u: 4, p: 1, live: false, n: 7 } as never);
    await collection.insertOne({ u: 5, p: 1, live: true, n: 5 } as never);
    const enters = collection.updateOne({ u: 5 }, { $set: { n: 6 } });
    await expect(enters).rejects.toMatchObject({ code: 11000 });
  });

  fact(
    'finds through a partial index what its condition covers, and everything else without it',
    async (connection) => {
      const docs = Array.from({ length: 40 }, (_, _id) => ({ _id, n: _id, ...(_id % 4 === 0 && { due: _id }) }));
      const collection = await collectionOf(connection, docs);
      await collection.createIndex({ due: 1 }, { partialFilterExpression: { due: { $exists: true } } });
      expect(await collection.countDocuments({ due: { $exists: true } })).toBe(10);
      expect(await collection.countDocuments({ due: { $lte: 8 } })).toBe(3);
      expect(await collection.countDocuments({ due: null })).toBe(30);
      await collection.updateOne({ _id: 0 } as never, { $unset: { due: 1 } });
      await collection.updateOne({ _id: 1 } as never, { $set: { due: 1 } });
      expect((await collection.find({ due: { $lte: 4 } }).toArray()).map(({ _id }) => _id).sort()).toEqual([1, 4]);
    },
  );

  fact('indexes each element of an array', async (connection) => {
    const collection = await collectionOf(connection, [
      { _id: 1, t: ['a', 'b'] },
      { _id: 2, t: 'a' },
      { _id: 3, t: [] },
    ]);
    await collection.createIndex({ t: 1 });
    await collection.insertOne({ _id: 4, t: ['b', 'c'] } as never);
    const ids = async (filter: object) =>
      (await collection.find(filter as never).toArray()).map(({ _id }) => _id as unknown as number).sort();
    expect(await ids({ t: 'a' })).toEqual([1, 2]);
    await collection.updateOne({ _id: 1 } as never, { $pull: { t: 'a' } } as never);
    await collection.updateOne({ _id: 2 } as never, { $set: { t: ['c', 'd'] } });
    expect(await ids({ t: 'a' })).toEqual([]);
    expect(await ids({ t: { $in: ['c', 'b'] } })).toEqual([1, 2, 4]);
    expect(await ids({ t: { $gt: 'b', $lt: 'd' } })).toEqual([2, 4]);
    await collection.deleteMany({ t: 'c' });
    expect(await ids({})).toEqual([1, 3]);
  });

  fact('lists, makes again and drops indexes', async (connection) => {
    const collection = await collectionOf(connection, [{ _id: 1 }]);
    expect(await collection.createIndex({ a: 1, 'b.c': -1 }, { name: 'mine' })).toBe('mine');
    expect(await collection.createIndex({ a: 1, 'b.c': -1 }, { name: 'mine' })).toBe('mine');
    const listed = await collection.listIndexes().toArray();
    expect(listed.map(({ name, key }) => ({ name, key }))).toEqual([
      { name: '_id_', key: { _id: 1 } },
      { name: 'mine', key: { a: 1, 'b.c': -1 } },
    ]);
    await collection.dropIndex('mine');
    expect((await collection.listIndexes().toArray()).length).toBe(1);
  });

  fact(
    'sorts objects and bytes in an indexed field by what is in them, whenever the index came',
    async (connection) => {
      const bytes = (...values: number[]) => new mongoose.mongo.Binary(Uint8Array.from(values));
      // in mongod's order: objects by their fields' types, names and values, then bytes, shorter ones first
      const values = [{}, { a: 9 }, { a: 10 }, { b: 1 }, { a: 'x' }, { a: { z: 1 } }, bytes(), bytes(7), bytes(1, 1)];
      const docs = [8, 3, 5, 0, 7, 2, 6, 4, 1].map((_id) => ({ _id, v: values[_id] }));
      const collection = connection.collection(fresh());
      const sorted = async (direction: 1 | -1) =>
        (await collection.find({}, { sort: [['v', direction]] }).toArray()).map(({ _id }) => _id as unknown as number);
      const order = docs.map(({ _id }) => _id).sort();
      for (const early of [true, false]) {
        if (early) await collection.createIndex({ v: 1 });
        for (const doc of docs) await collection.insertOne({ _id: doc._id, v: early ? doc._id : doc.v } as never);
        if (early) expect(await sorted(1)).toEqual(order);
        for (const { _id, v } of docs) await collection.updateOne({ _id } as never, { $set: { v } });
        if (!early) await collection.createIndex({ v: 1 });
        expect(await sorted(1)).toEqual(order);
        expect(await sorted(-1)).toEqual([...order].reverse());
        await collection.drop();
      }
      for (const { v } of docs) await collection.insertOne({ _id: v, n: values.indexOf(v) } as never);
      expect((await collection.find({}, { sort: { _id: 1 } }).toArray()).map(({ n }) => n)).toEqual(order);
    },
  );

  fact('sorts an array by its objects, in which what is no object counts as null', async (connection) => {
    const parts = [[{ k: 1 }], [{ k: 2 }, 5], [{ k: 3 }, [{ k: 0 }]], [{ k: 4 }, new mongoose.Types.ObjectId()]];
    const collection = await collectionOf(
      connection,
      parts.map((items, _id) => ({ _id, items })),
    );
    const sorted = async () =>
      (await collection.find({}, { sort: { 'items.k': 1, _id: -1 } }).toArray()).map(({ _id }) => _id);
    expect(await sorted()).toEqual([3, 2, 1, 0]);
    await collection.createIndex({ 'items.k': 1 });
    expect(await sorted()).toEqual([3, 2, 1, 0]);
    expect(await collection.countDocuments({ 'items.k': { $gt: 1 } })).toBe(3);
    expect(await collection.countDocuments({ 'items.k': null })).toBe(0);
  });

  fact('refuses a unique index over duplicates that are there', async (connection) => {
    const collection = await collectionOf(connection, [{ a: 1 }, { a: 1 }]);
    await expect(collection.createIndex({ a: 1 }, { unique: true })).rejects.toMatchObject({ code: 11000 });
    await collection.insertOne({ a: 1 } as never);
    expect(await collection.countDocuments({ a: 1 })).toBe(3);
  });

  fact('makes the indexes that a schema declares', async (connection) => {
    const schema = new Schema({ _id: String, code: { type: String, unique: true }, day: Number }).index({
      day: 1,
      code: 1,
    });
    const Thing = connection.model(fresh(), schema);
    await Thing.init();
    expect((await Thing.listIndexes()).length).toBe(3);
    await Thing.create({ _id: 'a', code: 'x' });
    await expect(Thing.create({ _id: 'b', code: 'x' })).rejects.toMatchObject({ code: 11000 });
  });
}
