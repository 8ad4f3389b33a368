/** Generated operations beyond the tame ones: values of every type, shapes that meet operators they do not fit, pipelines. */
import mongoose from 'mongoose';
import { type Dice, document, filter, number, scalar, sort, update } from './generate.js';

type Doc = Record<string, unknown>;

/** What is asked of a collection: a method's name and its arguments. */
export interface Operation {
  readonly method: string;
  readonly args: readonly unknown[];
  /** mongod gives the answer in any order. */
  readonly unordered?: boolean;
}

const id = (n: number) => new mongoose.Types.ObjectId(`${n}`.padStart(24, '0'));
const bytes = (...values: number[]) => new mongoose.mongo.Binary(Uint8Array.from(values));
/** Values that fields of one type hold now and then. NaN is not among them: mongod counts $inc of NaN as a change. */
const strange: readonly unknown[] = [
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 40,
  2 ** 53,
  0.1,
  -1e17,
  -1.5e-7,
  'Ünïcode',
  '\u{1F600}',
  '\uFFFD',
  'a.b',
  new Date(-1),
  id(1),
  id(2),
  bytes(2),
  bytes(1, 2),
  bytes(),
  {},
  { x: 1 },
  { x: 10 },
  { x: 9 },
  { z: 1 },
  { x: { y: 2 } },
  { x: null },
  { x: 1, y: 'a' },
  { y: 'a', x: 1 },
  [],
  [null],
  [[1, 2]],
  [1, 'a'],
  [{ x: 1 }, { x: 2 }],
  [{ x: [1, 2] }],
  [{ x: 1, k: 1 }, 5],
  [{ x: 2, k: 2 }, id(1)],
  [[{ x: 3, k: 3 }], { k: 4 }],
];

/** Any value, more often a usual one. */
export function wild(dice: Dice): unknown {
  return dice.roll(2) ? scalar(dice) : dice.pick(strange);
}

const wilder = (dice: Dice): unknown => (dice.roll(20) ? wild(dice) : Number.NaN);

/** A document in which any field may hold any value now and then. */
export function wildDocument(dice: Dice, _id: number): Doc {
  const doc = document(dice, _id);
  for (const field of ['w', 'n', 's', 'o', 'l', 'items']) {
    if (field === 'w') doc.w = wilder(dice);
    else if (!dice.roll(12)) doc[field] = wild(dice);
  }
  return doc;
}

const types = ['string', 'number', 'bool', 'date', 'null', 'object', 'array', 'objectId', 'binData'];
const everywhere = ['w', 'w.x', 'w.0', 'w.x.0', 'n', 's', 'o', 'o.x', 'l', 'l.1', 'items', 'items.k', 'none', 'none.x'];

function wildCondition(dice: Dice): unknown {
  const operator = dice.pick(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte']);
  switch (dice.roll(9)) {
    case 0:
      return wild(dice);
    case 1:
      return { $in: dice.some(0, 4, () => wild(dice)) };
    case 2:
      return { $nin: dice.some(0, 4, () => wild(dice)) };
    case 3:
      return { $type: dice.roll(2) ? dice.pick(types) : dice.some(1, 2, () => dice.pick(types)) };
    case 4:
      return { $not: { [operator]: wild(dice) } };
    case 5:
      return { $elemMatch: { [operator]: wild(dice) } };
    case 6:
      return { $exists: dice.roll(2) === 1, $ne: wild(dice) };
    case 7:
      return { $all: dice.some(1, 2, () => wild(dice)) };
    default:
      return { [operator]: wild(dice) };
  }
}

export function wildFilter(dice: Dice): Doc {
  if (dice.roll(3) === 0) return filter(dice);
  const asked: Doc = { [dice.pick(everywhere)]: wildCondition(dice) };
  return dice.roll(4) ? asked : { $or: [asked, filter(dice)] };
}

/** 0 times a fraction is left out: mongod counts it as a change, of a 32-bit 0 to a double. */
function calculation(dice: Dice, path: string): Doc {
  const by = number(dice);
  return dice.roll(2) ? { $inc: { [path]: by } } : { $mul: { [path]: Math.trunc(by) } };
}

export function wildUpdate(dice: Dice): Doc {
  const path = dice.pick(everywhere);
  switch (dice.roll(8)) {
    case 0:
      return { [dice.pick(['$set', '$min', '$max', '$setOnInsert'])]: { [path]: wild(dice) } };
    case 1:
      return calculation(dice, path === 'w' ? 'w.x' : path);
    case 2:
      return { [dice.pick(['$push', '$addToSet', '$pull'])]: { [path]: wild(dice) } };
    case 3:
      return { $unset: { [path]: '' } };
    case 4:
      return { $pullAll: { [path]: dice.some(0, 3, () => wild(dice)) } };
    case 5:
      return { $addToSet: { [path]: { $each: dice.some(0, 3, () => wild(dice)) } } };
    default:
      return update(dice);
  }
}

function accumulators(dice: Dice): Doc {
  const path = dice.pick(['$n', '$o.x', '$m', '$at', '$w']);
  const operator = dice.pick(['$sum', '$avg', '$min', '$max', '$first', '$last', '$push']);
  return { found: { [operator]: path }, times: { $sum: 1 } };
}

const projections = [{ n: 1 }, { n: 0 }, { 'o.x': 1, _id: 0 }, { 'items.k': 1 }, { 'items.k': 0, w: 0 }, { 'w.x': 1 }];

const byId = { $sort: { _id: 1 } };
const keys = ['$s', '$n', '$m', '$at', '$o.x', { a: '$s', b: '$n' }, null];

const stages: readonly ((dice: Dice) => Doc[])[] = [
  (dice) => [{ $match: wildFilter(dice) }],
  (dice) => [byId, { $group: { _id: dice.pick(keys), ...accumulators(dice) } }],
  () => [{ $unwind: '$l' }, { $group: { _id: '$l', times: { $sum: 1 } } }],
  () => [{ $unwind: { path: '$items', preserveNullAndEmptyArrays: true } }, { $sort: { _id: 1, 'items.k': 1 } }],
  (dice) => [{ $sort: Object.fromEntries(sort(dice)) }, { $skip: dice.roll(3) }, { $limit: 1 + dice.roll(5) }],
  () => [{ $project: { s: 1, 'o.x': 1 } }],
  (dice) => [{ $project: dice.pick(projections) }],
  () => [{ $count: 'all' }],
];

function aggregation(dice: Dice): Operation {
  const pipeline = [{ $match: filter(dice) }, ...dice.pick(stages)(dice)];
  // groups come in any order, and mongod sorts an _id that is an array otherwise than a field
  const text = JSON.stringify(pipeline);
  return { method: 'aggregate', args: [pipeline], unordered: /\$group|\$unwind/.test(text) || !text.includes('$sort') };
}

function page(dice: Dice): Doc {
  const options = { sort: sort(dice), skip: dice.roll(3), limit: dice.roll(6) };
  if (dice.roll(2)) return options;
  const projection = dice.pick<Doc>(projections);
  // mongod may project first, and then sorts by what is left of an array
  const sorted = options.sort.some(([path]) => projection[path] === 1);
  return { ...options, projection: sorted ? { m: 1 } : projection };
}

function bulk(dice: Dice, step: number): unknown[] {
  return dice.some(1, 4, () =>
    dice.pick<unknown>([
      { insertOne: { document: wildDocument(dice, dice.roll(80)) } },
      { updateOne: { filter: { _id: dice.roll(60) }, update: wildUpdate(dice), upsert: dice.roll(2) === 1 } },
      { updateMany: { filter: filter(dice), update: { $set: { m: step } } } },
      { replaceOne: { filter: { _id: dice.roll(60) }, replacement: { n: step }, upsert: true } },
      { deleteOne: { filter: { _id: dice.roll(60) } } },
    ]),
  );
}

const reads: readonly ((dice: Dice) => Operation)[] = [
  (dice) => ({ method: 'find', args: [wildFilter(dice), page(dice)] }),
  (dice) => ({ method: 'find', args: [filter(dice), page(dice)] }),
  (dice) => ({ method: 'countDocuments', args: [wildFilter(dice)] }),
  // not of a field of a compound index: there mongod tells a missing field as null
  (dice) => ({ method: 'distinct', args: [dice.pick(['l', 'items.k', 'o.y', 'w']), filter(dice)], unordered: true }),
  aggregation,
  aggregation,
];

const ordered = (dice: Dice, more: Doc = {}) => ({ sort: sort(dice), ...more });
const one = (dice: Dice) => ({ _id: dice.roll(60) });

const writes: readonly ((dice: Dice, step: number) => Operation)[] = [
  (dice) => ({
    method: 'findOneAndUpdate',
    args: [wildFilter(dice), wildUpdate(dice), ordered(dice, { returnDocument: dice.pick(['before', 'after']) })],
  }),
  (dice) => ({ method: 'updateOne', args: [one(dice), wildUpdate(dice), { upsert: dice.roll(3) === 0 }] }),
  (dice) => ({ method: 'updateOne', args: [{ ...filter(dice), ...one(dice) }, update(dice), { upsert: true }] }),
  (dice, step) => ({ method: 'updateMany', args: [wildFilter(dice), { $set: { m: step } }] }),
  (dice) => ({ method: 'findOneAndDelete', args: [filter(dice), ordered(dice)] }),
  (dice, step) => ({ method: 'findOneAndReplace', args: [filter(dice), { n: step }, ordered(dice)] }),
  (dice) => ({ method: 'insertMany', args: [dice.some(1, 3, () => wildDocument(dice, dice.roll(80)))] }),
  // mongod may carry out an unordered bulk in any order
  (dice, step) => ({ method: 'bulkWrite', args: [bulk(dice, step), { ordered: true }] }),
];

export function reading(dice: Dice): Operation {
  return dice.pick(reads)(dice);
}

export function writing(dice: Dice, step: number): Operation {
  return dice.pick(writes)(dice, step);
}
