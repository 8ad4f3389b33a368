import { DatabaseSync } from 'node:sqlite';
import mongoose from 'mongoose';
import { openEmbedded } from './open.js';

it('smokes', async () => {
  const db = new DatabaseSync(':memory:');
  const c = await openEmbedded(db, 'test', { onScan: 'throw' });
  const schema = new mongoose.Schema(
    { _id: String, n: Number, at: Date, tags: [String], m: { type: Map, of: Number }, b: Buffer },
    { timestamps: true },
  );
  schema.index({ n: 1 });
  schema.index({ n: 1, at: -1 }, { unique: true });
  const T = c.model('T', schema);
  await T.init();
  await T.create({ _id: 'a', n: 1, at: new Date(5), tags: ['x'], m: { q: 1 }, b: Buffer.from('hi') });
  await T.insertMany([
    { _id: 'b', n: 2, at: new Date(6) },
    { _id: 'c', n: 3, at: new Date(7) },
  ]);
  await expect(T.create({ _id: 'd', n: 2, at: new Date(6) })).rejects.toMatchObject({
    code: 11000,
    keyValue: { n: 2 },
  });
  await expect(T.create({ _id: 'a' })).rejects.toMatchObject({ code: 11000 });
  const a = (await T.findById('a'))!;
  expect(a.m!.get('q')).toBe(1);
  expect(a.b!.toString()).toBe('hi');
  expect(a.at).toEqual(new Date(5));
  a.tags.push('y');
  a.m!.set('z', 4);
  await a.save();
  expect(await T.findOne({ tags: 'y' }).lean()).toMatchObject({ tags: ['x', 'y'], m: { q: 1, z: 4 } });
  expect(
    (
      await T.find({ n: { $gte: 2 } })
        .sort({ at: -1 })
        .limit(1)
        .lean()
    )[0]._id,
  ).toBe('c');
  await T.findOneAndUpdate(
    { _id: 'z', n: 9 },
    { $inc: { n: 0 }, $set: { at: new Date(0) } },
    { upsert: true, new: true },
  ).catch((e) => e);
  expect(await T.countDocuments({ n: { $in: [1, 2] } })).toBe(2);
  expect(await T.aggregate([{ $match: { n: { $lt: 3 } } }, { $group: { _id: null, s: { $sum: '$n' } } }])).toEqual([
    { _id: null, s: 3 },
  ]);
  for await (const d of T.find().cursor()) expect(d._id).toBeTruthy();
  expect(await T.distinct('n')).toEqual([1, 2, 3, 9]);
  await expect(T.find({ n: { $foo: 1 } } as never)).rejects.toThrow(/foo/);
  await T.deleteMany({ n: { $gt: 1 } });
  expect(await T.countDocuments()).toBe(1);
  await c.close();
  db.close();
});
