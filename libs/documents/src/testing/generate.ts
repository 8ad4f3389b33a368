/** Generated documents, filters, updates and operations: small pools of values, so that they meet. */

/** A seeded generator of whole numbers (Marsaglia's xorshift, 32 bits). */
export class Dice {
  private state: number;
  constructor(seed: number) {
    this.state = Math.imul(seed + 1, 0x9e3779b1) || 1;
  }

  /** 0 … sides - 1 */
  roll(sides: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % sides;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.roll(from.length)];
  }

  some<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: least + this.roll(most - least + 1) }, make);
  }
}

type Doc = Record<string, unknown>;

const numbers = [-2, 0, 1, 2, 2.5, 7];
const texts = ['', 'a', 'ab', 'b', 'Z'];
const dates = [0, 1000, 2000].map((time) => new Date(time));

export function number(dice: Dice): number {
  return dice.pick(numbers);
}

/** A scalar of any type. */
export function scalar(dice: Dice): unknown {
  return dice.pick([...numbers, ...texts, ...dates, true, false, null] as unknown[]);
}

const item = (dice: Dice): Doc => ({ k: number(dice), v: dice.pick(texts) });

/** A document: a number, a text, a date, a mixed field, an object, two arrays; each is missing now and then. */
export function document(dice: Dice, _id: number): Doc {
  const doc: Doc = { _id };
  const fields: Doc = {
    n: number(dice),
    s: dice.pick(texts),
    at: dice.pick(dates),
    m: scalar(dice),
    o: { x: number(dice), y: dice.pick(texts) },
    l: dice.some(0, 3, () => number(dice)),
    items: dice.some(0, 3, () => item(dice)),
  };
  for (const [name, value] of Object.entries(fields)) if (dice.roll(6)) doc[name] = value;
  return doc;
}

/** What a filter may ask of a path. */
const paths: Readonly<Record<string, (dice: Dice) => unknown>> = {
  n: number,
  s: (dice) => dice.pick(texts),
  at: (dice) => dice.pick(dates),
  m: scalar,
  'o.x': number,
  'o.y': (dice) => dice.pick(texts),
  l: number,
  'l.0': number,
  'items.k': number,
  'items.1.v': (dice) => dice.pick(texts),
};

function condition(dice: Dice, value: () => unknown): unknown {
  const bound = () => value() ?? 1;
  switch (dice.roll(10)) {
    case 0:
    case 1:
    case 2:
      return value();
    case 3:
      return { $in: dice.some(0, 4, value) };
    case 4:
      return { [dice.pick(['$gt', '$gte', '$lt', '$lte'])]: bound() };
    case 5:
      return { $gte: bound(), $lt: bound() };
    case 6:
      return { $ne: value() };
    case 7:
      return { $exists: dice.roll(2) === 1 };
    case 8:
      return { $not: { $gt: bound() } };
    default:
      return { $nin: dice.some(1, 3, value) };
  }
}

/** A filter of one to three conditions, now and then joined by $or, $and or $nor. */
export function filter(dice: Dice, depth = 0): Doc {
  const kind = dice.roll(12);
  if (kind === 0) return { items: { $elemMatch: { k: { $gte: number(dice) }, v: dice.pick(texts) } } };
  if (kind === 1) return { l: { $all: dice.some(1, 2, () => number(dice)) } };
  if (kind === 2) return { l: { $size: dice.roll(3) } };
  if (kind === 3) return { s: { $regex: dice.pick(['^a', 'b$', '.']) } };
  if (kind < 6 && depth < 2)
    return { [dice.pick(['$or', '$and', '$nor'])]: dice.some(1, 3, () => filter(dice, depth + 1)) };
  if (kind === 6)
    return {
      _id: dice.pick<unknown>([dice.roll(40), { $in: dice.some(0, 4, () => dice.roll(40)) }, { $lt: dice.roll(40) }]),
    };
  const asked: Doc = {};
  for (const path of dice.some(1, 3, () => dice.pick(Object.keys(paths))))
    asked[path] = condition(dice, () => paths[path](dice));
  return asked;
}

/** An update of one to three operators on different fields. */
export function update(dice: Dice): Doc {
  const changes: (readonly [string, string, unknown])[] = [
    ['$set', 'n', number(dice)],
    ['$set', 'o.x', number(dice)],
    ['$set', 'm', scalar(dice)],
    ['$unset', 's', ''],
    ['$unset', 'm', ''],
    ['$inc', 'n', dice.pick([1, -1, 0.5])],
    ['$inc', 'o.z', 1],
    ['$mul', 'n', dice.pick([2, -1])],
    ['$min', 'n', number(dice)],
    ['$max', 'n', number(dice)],
    ['$max', 'at', dice.pick(dates)],
    ['$push', 'l', number(dice)],
    ['$push', 'items', item(dice)],
    ['$push', 'l', { $each: dice.some(1, 3, () => number(dice)), $slice: dice.pick([-2, 3]) }],
    ['$push', 'l', { $each: dice.some(1, 3, () => number(dice)), $sort: dice.pick([1, -1]) }],
    ['$addToSet', 'l', number(dice)],
    ['$pull', 'l', number(dice)],
    ['$pull', 'l', { $gt: number(dice) }],
    ['$pull', 'items', { k: number(dice) }],
    ['$pullAll', 'l', [number(dice), number(dice)]],
    ['$pop', 'l', dice.pick([1, -1])],
  ];
  const chosen: Doc = {};
  const fields = new Set<string>();
  for (const [operator, path, argument] of dice.some(1, 3, () => dice.pick(changes))) {
    const [field] = path.split('.');
    if (fields.has(field)) continue;
    fields.add(field);
    chosen[operator] = { ...(chosen[operator] as Doc), [path]: argument };
  }
  return chosen;
}

/** A total order, so that answers can be compared one by one; of the two arrays at most one, as mongod asks. */
export function sort(dice: Dice): [string, 1 | -1][] {
  const array = dice.pick(['l', 'items.k']);
  const fields = dice.some(0, 2, () => dice.pick(['n', 's', 'at', 'm', 'o.x', array]));
  const directions = [...new Set(fields)].map((path) => [path, dice.roll(2) ? 1 : -1] as [string, 1 | -1]);
  return [...directions, ['_id', dice.roll(2) ? 1 : -1]];
}
