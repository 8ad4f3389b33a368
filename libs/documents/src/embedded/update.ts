/** The update operators, in mongod's terms, on plain documents. */
import { copyOf, type Doc, plain, type Value } from './codec.js';
import { badValue, unsupported } from './errors.js';
import { isOperators, isRecord } from './filter.js';
import { matcher } from './matching.js';
import { compareValues, sortDocs, sortOf } from './order.js';

/** Where a path ends: the object or array that holds the field, and the field's key. */
interface Place {
  readonly holder: Doc;
  readonly key: string;
}

type Operator = (place: Place, argument: Value, path: string) => void;
type ArrayFilters = ReadonlyMap<string, (value: Value) => boolean>;

/** A compiled update: changes a document in place. */
export interface Update {
  (doc: Doc, inserting: boolean): void;
  /** Whether mongod counts it as a change even where it leaves the document as it was. */
  readonly counts?: boolean;
}

/** Operators that an update may use. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  $set: set,
  $setOnInsert: set,
  $inc: (place, by, path) => arithmetic(place, by, path, '$inc', 0, (a, b) => a + b),
  $mul: (place, by, path) => arithmetic(place, by, path, '$mul', 0, (a, b) => a * b),
  $min: (place, value) => extreme(place, value, -1),
  $max: (place, value) => extreme(place, value, 1),
  $currentDate: currentDate,
  $push: push,
  $addToSet: addToSet,
  $pop: pop,
  $pull: pull,
  $pullAll: pullAll,
};
export const UPDATE_OPERATORS: ReadonlySet<string> = new Set([...Object.keys(OPERATORS), '$unset']);

/**
 * Compiles an update document. Throws UNSUPPORTED for unlisted operators and pipelines, BadValue for malformed ones and
 * (when run) for a change of _id or an operator on a value of the wrong type.
 */
export function update(spec: unknown, arrayFilters?: readonly unknown[]): Update {
  if (Array.isArray(spec)) throw unsupported('an update by pipeline');
  const filters = filtersOf(arrayFilters);
  const steps = Object.entries(spec as Doc).flatMap(([operator, changes]) => stepsOf(operator, changes, filters));
  steps.sort((a, b) => comparePaths(a.parts, b.parts));
  rejectConflicts(Object.values(spec as Doc));
  const become = (doc: Doc, inserting: boolean) => {
    for (const { run } of steps) run(doc, inserting);
  };
  return Object.assign(become, { counts: Object.values((spec as Doc).$push ?? {}).some(pushes) });
}

/** A $push of anything, or one that sorts. */
function pushes(argument: Value): boolean {
  const { $each, $sort } = isRecord(argument) ? argument : ({} as Doc);
  return !Array.isArray($each) || $each.length > 0 || $sort !== undefined;
}

interface Step {
  readonly parts: readonly string[];
  readonly run: Update;
}

/** mongod changes fields in the order of their names, numbers as numbers: so new ones stand in a document, and faults are told. */
function comparePaths(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((part, i) => part !== b[i]);
  if (at < 0 || at >= b.length) return a.length - b.length;
  const [ours, theirs] = [a[at], b[at]];
  if (/^\d+$/.test(ours) && /^\d+$/.test(theirs)) return Number(ours) - Number(theirs);
  return compareValues(ours, theirs);
}

function stepsOf(operator: string, changes: Value, filters: ArrayFilters): Step[] {
  if (!UPDATE_OPERATORS.has(operator)) throw unsupported(`the update operator ${operator}`);
  if (typeof changes !== 'object' || changes === null) throw badValue(`${operator} needs an object`, 9);
  const entries = Object.entries(plain(changes) as Doc);
  return entries.map(([path, argument]) => {
    const parts = path.split('.');
    const run = (doc: Doc, inserting: boolean) => {
      if (operator === '$setOnInsert' && !inserting) return;
      for (const place of places(doc, parts, 0, wayOf(operator), filters, path)) {
        if (operator === '$unset') unset(place);
        else OPERATORS[operator](place, argument, path);
      }
    };
    return { parts, run };
  });
}

function rejectConflicts(changes: readonly Value[]): void {
  const paths = changes.flatMap((change) => Object.keys(change as Doc));
  const seen = new Set(paths);
  if (seen.size < paths.length) throw badValue('two operators of an update change the same path', 40);
  if (paths.length < 2) return;
  for (const path of paths) {
    for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
      if (seen.has(path.slice(0, dot))) throw badValue(`updating ${path} would conflict at ${path.slice(0, dot)}`, 40);
    }
  }
}

function filtersOf(arrayFilters: readonly unknown[] = []): ArrayFilters {
  const filters = new Map<string, (value: Value) => boolean>();
  for (const filter of arrayFilters ?? []) {
    const wanted = plain(filter) as Doc;
    const names = new Set(Object.keys(wanted).map((path) => path.split('.')[0]));
    if (names.size !== 1) throw unsupported('an array filter with several names');
    const [name] = names;
    const test = matcher(wanted);
    filters.set(name, (value) => test({ [name]: value }));
  }
  return filters;
}

/**
 * What an operator does where its path leads nowhere: it makes the way; it does nothing, but refuses a way on which there
 * is something else; or it does nothing at all.
 */
type Way = 'make' | 'need' | 'pass';

function wayOf(operator: string): Way {
  if (operator === '$pull' || operator === '$pullAll') return 'need';
  return operator === '$unset' || operator === '$pop' ? 'pass' : 'make';
}

/** The places that a path names: several with `$[]` and `$[name]`, none where nothing is there and nothing is made. */
function* places(
  holder: Value,
  parts: readonly string[],
  at: number,
  way: Way,
  filters: ArrayFilters,
  path: string,
): Generator<Place> {
  const part = parts[at];
  if (part === '$') throw unsupported('the positional operator $ (use $[name] with arrayFilters)');
  const all = part.startsWith('$[') ? elementsOf(holder, part, filters, path) : undefined;
  const keys = all ?? [keyIn(holder, part, way, path)];
  for (const key of keys) {
    if (key === undefined) continue;
    const record = holder as Doc;
    if (at === parts.length - 1) yield { holder: record, key };
    else {
      if (way === 'make' && (record[key] === undefined || !Object.hasOwn(record, key))) record[key] = {};
      const below = record[key];
      if (isRecord(below) || Array.isArray(below)) yield* places(below, parts, at + 1, way, filters, path);
      else if (way === 'make' || (way === 'need' && below !== undefined))
        throw badValue(`cannot create field '${parts[at + 1]}' in element ${part} of ${path}`, 28);
    }
  }
}

function elementsOf(holder: Value, part: string, filters: ArrayFilters, path: string): string[] {
  if (!Array.isArray(holder)) throw badValue(`${part} in ${path} needs an array`);
  const name = part.slice(2, -1);
  const test = name ? filters.get(name) : () => true;
  if (!test) throw badValue(`no array filter found for identifier '${name}' in path '${path}'`);
  return [...holder.keys()].filter((i) => test(holder[i])).map(String);
}

function keyIn(holder: Value, part: string, way: Way, path: string): string | undefined {
  if (part === '' || part === '__proto__') throw badValue(`bad field name in ${path}`, 56);
  if (!Array.isArray(holder)) return part;
  if (!/^\d+$/.test(part)) {
    if (way !== 'pass') throw badValue(`cannot create field '${part}' in an array (${path})`, 28);
    return undefined;
  }
  if (way === 'make') while (holder.length < Number(part)) holder.push(null);
  return part;
}

const has = ({ holder, key }: Place): boolean => Object.hasOwn(holder, key);

function set({ holder, key }: Place, value: Value): void {
  holder[key] = copyOf(value);
}

function unset(place: Place): void {
  if (!has(place)) return;
  if (Array.isArray(place.holder)) place.holder[place.key as unknown as number] = null;
  else delete place.holder[place.key];
}

function arithmetic(
  place: Place,
  by: Value,
  path: string,
  name: string,
  zero: number,
  combine: (a: number, b: number) => number,
): void {
  if (typeof by !== 'number') throw badValue(`cannot ${name} with a non-numeric argument: ${path}`, 14);
  const found = has(place) ? place.holder[place.key] : undefined;
  if (found !== undefined && typeof found !== 'number')
    throw badValue(`cannot ${name} a non-numeric value: ${path}`, 14);
  const start = found ?? zero;
  place.holder[place.key] = combine(start, by) + 0; // no minus zero: JSON has none
}

function extreme(place: Place, value: Value, sign: 1 | -1): void {
  if (has(place) && compareValues(value, place.holder[place.key]) * sign <= 0) return;
  place.holder[place.key] = copyOf(value);
}

function currentDate({ holder, key }: Place, spec: Value, path: string): void {
  if (spec !== true && (spec as Doc)?.$type !== 'date') throw unsupported(`$currentDate with a timestamp at ${path}`);
  holder[key] = new Date();
}

/** The array at a place, or undefined when missing; throws when something else is there. */
function arrayAt(place: Place, operator: string, path: string): Value[] | undefined {
  const value = has(place) ? place.holder[place.key] : undefined;
  if (value !== undefined && !Array.isArray(value)) {
    throw badValue(`the field '${path}' must be an array for ${operator}`, operator === '$pop' ? 14 : 2);
  }
  return value;
}

const PUSH_MODIFIERS = new Set(['$each', '$slice', '$sort', '$position']);

function push(place: Place, argument: Value, path: string): void {
  const modifiers = isRecord(argument) && '$each' in argument ? argument : { $each: [argument] };
  const strange = Object.keys(modifiers).find((name) => !PUSH_MODIFIERS.has(name));
  if (strange) throw unsupported(`the $push modifier ${strange}`);
  const array = arrayAt(place, '$push', path) ?? [];
  const items = (modifiers.$each as Value[]).map(copyOf);
  const at = (modifiers as Doc).$position as number | undefined;
  array.splice(at ?? array.length, 0, ...items);
  place.holder[place.key] = sliced(sortedArray(array, (modifiers as Doc).$sort), (modifiers as Doc).$slice);
}

function sortedArray(array: Value[], sort: Value): Value[] {
  if (sort === undefined) return array;
  if (sort === 1 || sort === -1) return array.sort((a, b) => compareValues(a, b) * sort);
  return sortDocs(array, (item) => (isRecord(item) ? item : {}), sortOf(sort));
}

function sliced(array: Value[], slice: Value): Value[] {
  if (slice === undefined) return array;
  const count = slice as number;
  if (count === 0) return [];
  return count < 0 ? array.slice(count) : array.slice(0, count);
}

const equal = (a: Value, b: Value): boolean => compareValues(a, b) === 0;

function addToSet(place: Place, argument: Value, path: string): void {
  const items = isRecord(argument) && '$each' in argument ? (argument.$each as Value[]) : [argument];
  const array = arrayAt(place, '$addToSet', path) ?? [];
  for (const item of items) if (!array.some((present) => equal(present, item))) array.push(copyOf(item));
  place.holder[place.key] = array;
}

function pop(place: Place, argument: Value, path: string): void {
  const array = arrayAt(place, '$pop', path);
  if (argument === -1) array?.shift();
  else array?.pop();
}

function pull(place: Place, argument: Value, path: string): void {
  const array = arrayAt(place, '$pull', path);
  if (!array) return;
  const goes = pullTest(argument);
  place.holder[place.key] = array.filter((item) => !goes(item));
}

/** What $pull takes out: equal values, values that satisfy operators, or documents that match a filter. */
function pullTest(argument: Value): (item: Value) => boolean {
  if (isOperators(argument)) {
    const test = matcher({ item: argument });
    return (item) => test({ item });
  }
  if (argument instanceof RegExp) return pullTest({ $regex: argument });
  if (!isRecord(argument)) return (item) => equal(item, argument);
  const test = matcher(argument);
  return (item) => isRecord(item) && test(item);
}

function pullAll(place: Place, argument: Value, path: string): void {
  const array = arrayAt(place, '$pullAll', path);
  if (!array) return;
  place.holder[place.key] = array.filter((item) => !(argument as Value[]).some((value) => equal(value, item)));
}
