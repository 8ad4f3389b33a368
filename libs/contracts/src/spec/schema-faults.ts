/**
 * What a schema finds in a spec, as faults that say what was meant, what is allowed and what to write.
 *
 * I1  Of a union, the faults of the one alternative that was most likely meant are told; where none was, what there is.
 * I2  Each key that is not known is a fault of its own, at its own place; the key it was probably meant for is not missed as well.
 */
import type { z } from 'zod';
import { own } from '../own.js';
import type { SpecFault } from './references.js';
import { advice, closest } from './suggestion.js';

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;
type Path = readonly PropertyKey[];
/** Schemas of all kinds, by what they are made of. */
interface Parts {
  readonly type: string;
  readonly innerType?: Schema;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly valueType?: Schema;
  readonly element?: Schema;
  readonly items?: readonly Schema[];
  readonly options?: readonly Schema[];
}

/** The faults of a value that a schema does not take. */
export function faultsOf(schema: Schema, value: unknown, issues: readonly Issue[]): SpecFault[] {
  return new Faults(schema, value).of(issues);
}

const partsOf = (schema: Schema | undefined): Parts | undefined => {
  let parts = schema?._zod.def as Parts | undefined;
  while (parts?.innerType) parts = parts.innerType._zod.def as Parts;
  return parts;
};

class Faults {
  constructor(
    private readonly schema: Schema,
    private readonly value: unknown,
  ) {}

  of(issues: readonly Issue[]): SpecFault[] {
    const meant = new Set(issues.flatMap((issue) => this.meantBy(issue)));
    return issues
      .filter(({ path }) => !meant.has(pathText(path)) || at(this.value, path) !== undefined)
      .flatMap((issue) => this.faults(issue));
  }

  /** I2: paths of the keys that unknown ones were meant for. */
  private meantBy(issue: Issue): string[] {
    if (issue.code !== 'unrecognized_keys') return [];
    const known = this.keysAt(issue.path);
    return issue.keys.flatMap((key) => {
      const name = closest(key, known);
      return name === undefined ? [] : [pathText([...issue.path, name])];
    });
  }

  private faults(issue: Issue): SpecFault[] {
    const { path } = issue;
    if (issue.code === 'invalid_union') return this.ofUnion(path, issue.errors);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => {
        const problem = `no such key "${key}" here; ${advice(key, this.keysAt(path))}`;
        return { path: pathText([...path, key]), problem };
      });
    if (issue.code === 'invalid_key')
      return [{ path: pathText(path), problem: `as a name: ${issue.issues[0]?.message}` }];
    return [{ path: pathText(path), problem: this.problem(issue, at(this.value, path)) }];
  }

  /** I1 */
  private ofUnion(path: Path, alternatives: readonly (readonly Issue[])[]): SpecFault[] {
    const options = partsOf(this.schemaAt(path))?.options ?? [];
    const value = at(this.value, path);
    const meant = isObject(value) ? likeliest(options, value, alternatives) : undefined;
    if (meant === undefined) return [{ path: pathText(path), problem: noneOf(options, value) }];
    const inner = new Faults(options[meant], value).of(alternatives[meant]);
    return inner.map((fault) => ({
      ...fault,
      path: fault.path === whole ? pathText(path) : `${pathText(path)}.${fault.path}`,
    }));
  }

  private problem(issue: Issue, value: unknown): string {
    if (value === undefined) return `is missing: ${this.wanted(issue)}`;
    if (issue.code === 'invalid_value') return this.notAmong(issue.values.map(String), value);
    if (issue.code === 'too_small')
      return outside(issue.origin, value, issue.inclusive ? 'at least' : 'more than', issue.minimum);
    if (issue.code === 'too_big')
      return outside(issue.origin, value, issue.inclusive ? 'at most' : 'less than', issue.maximum);
    if (issue.code !== 'invalid_type') return issue.message;
    const wanted = this.wanted(issue);
    if (value === null) return `is empty: ${wanted}`;
    if (issue.expected === 'array')
      return `${shown(value)} is no list: write [${isObject(value) ? '…' : String(value).slice(0, 60)}]`;
    const quotes = wantsNumber(issue.expected) && isNumeric(value) ? ', without quotes' : '';
    const quoted = issue.expected === 'string' && !isObject(value) ? ', in quotes where it looks like another' : '';
    return `${shown(value)} is ${kindOf(value, issue.expected)}: ${wanted}${quotes}${quoted}`;
  }

  private notAmong(allowed: readonly string[], value: unknown): string {
    if (allowed.length === 1) return `${shown(value)} is not allowed: write ${allowed[0]}`;
    return `${shown(value)} is not allowed: ${advice(isObject(value) ? '' : String(value), allowed).replace('known:', 'one of')}`;
  }

  private wanted(issue: Issue): string {
    if (issue.code === 'invalid_value') return `write ${issue.values.map(String).join(' or ')}`;
    if (issue.code !== 'invalid_type') return issue.message;
    const { shape } = partsOf(this.schemaAt(issue.path)) ?? {};
    return shape
      ? `write { ${Object.keys(shape).join(', ')} }`
      : `write ${kinds.get(issue.expected) ?? issue.expected}`;
  }

  private keysAt(path: Path): string[] {
    return Object.keys(partsOf(this.schemaAt(path))?.shape ?? {});
  }

  private schemaAt(path: Path): Schema | undefined {
    let schema: Schema | undefined = this.schema;
    for (const part of path) schema = memberOf(partsOf(schema), part);
    return schema;
  }
}

function memberOf({ shape, valueType, element, items }: Partial<Parts> = {}, part: PropertyKey): Schema | undefined {
  return own(shape ?? {}, String(part)) ?? valueType ?? element ?? items?.[Number(part)];
}

/**
 * The alternative that knows most of the value's keys, whole or nearly, and lacks least; none where the key that tells it from the others
 * is neither there nor nearly there.
 */
function likeliest(
  options: readonly Schema[],
  value: object,
  alternatives: readonly (readonly Issue[])[],
): number | undefined {
  let [best, least] = [undefined as number | undefined, Number.POSITIVE_INFINITY];
  for (const [i, option] of options.entries()) {
    const keys = Object.keys(partsOf(option)?.shape ?? {});
    if (!Object.keys(value).some((key) => closest(key, keys.slice(0, 1)) !== undefined)) continue;
    const far = alternatives[i].reduce((sum, issue) => sum + ('keys' in issue ? issue.keys.length : 1), 0);
    if (far < least) [best, least] = [i, far];
  }
  return best;
}

/** Each alternative is told by its first key. */
function noneOf(options: readonly Schema[], value: unknown): string {
  const names = options.flatMap((option) => Object.keys(partsOf(option)?.shape ?? {}).slice(0, 1));
  const write =
    typeof value === 'string'
      ? `write { ${names[0]}: ${value.slice(0, 60)} }, or another of `
      : 'it begins with one of ';
  return `${shown(value)} is none of what may stand here: ${write}${names.join(', ')}`;
}

const kinds: ReadonlyMap<string, string> = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list, such as [1, 2]'],
  ['tuple', 'a list, such as [1, 2]'],
  ['object', 'keys and values'],
  ['record', 'names and values'],
]);

const whole = '(file)';
export const pathText = (path: Path): string => path.map(String).join('.') || whole;
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const wantsNumber = (expected: string) => expected === 'number' || expected === 'int';
const isNumeric = (value: unknown) =>
  typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));

function at(value: unknown, path: Path): unknown {
  let found = value;
  for (const part of path) found = isObject(found) ? own(found as Record<string, unknown>, String(part)) : undefined;
  return found;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return Object.keys(value).length ? `{ ${Object.keys(value).slice(0, 5).join(', ')} }` : '{}';
  return typeof value === 'string' ? `"${value.slice(0, 60)}"` : String(value);
}

/** A number, a text or a list beyond its bound. */
function outside(origin: string, value: unknown, relation: string, bound: number | bigint): string {
  if (origin === 'array') return `has ${(value as unknown[]).length} entries; write ${relation} ${bound}`;
  if (origin === 'string') return `is ${(value as string).length} characters long; write ${relation} ${bound}`;
  return `${shown(value)} is out of bounds; write ${relation} ${bound}`;
}

function kindOf(value: unknown, expected: string): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'keys and values';
  if (typeof value === 'number') return expected === 'int' ? 'not whole' : 'a number';
  return typeof value === 'boolean' ? 'true or false' : 'a text';
}
