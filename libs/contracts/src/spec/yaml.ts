/**
 * YAML and JSON from outside as plain values, in time that is linear in the text, whatever it is.
 *
 * I1  Bounds come before work: characters, then tokens, depth and aliases while the text is cut into tokens; what is beyond is
 *     refused before anything is composed of it.
 * I2  The first fault ends it: the library goes on after a fault and words each one with the source around it, which is quadratic.
 * I3  A key is a text, stands once in its mapping, and is not `__proto__`: what comes out are own properties and nothing else.
 * I4  Nothing is written anywhere: the library's warnings are dropped.
 */
import {
  type Alias,
  Composer,
  CST,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type ParsedNode,
  Parser,
  type YAMLMap,
} from 'yaml';
import { deepestOf } from '../nesting.js';
import { textLimits } from '../text-limits.js';

const most = { tokens: 20_000, depth: 64, aliases: 20 };

/** A place in a text, both from 1 on. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where a text is at fault, and how. */
export class YamlFault extends Error {
  constructor(
    readonly path: string,
    readonly problem: string,
    /** Absent where the whole text is meant. */
    readonly place?: Place,
  ) {
    super(problem);
  }
}

/** A text as a value, and where its parts stand. */
export interface ReadYaml {
  readonly value: unknown;
  /** Where what has a path stands, such as `spec.features.0.window`: its key; or the nearest thing around it. */
  placeOf(path: string): Place;
}

/** Reads one document. Throws YamlFault, the first that there is. */
export function readYaml(text: string): ReadYaml {
  if (text.length > textLimits.spec) throw whole('larger than 256 KiB; a spec is a page of text');
  return asJson(text) ?? new Reader(text).read();
}

const whole = (problem: string) => new YamlFault('(file)', problem);

/** JSON as this program writes it, which holds no key twice; any other goes the way of YAML, as do places in it. */
function asJson(text: string): ReadYaml | undefined {
  if (!text.startsWith('{') || deepestOf(text) > most.depth) return undefined;
  try {
    const value: unknown = JSON.parse(text, (key, inner) => {
      if (key === '__proto__') throw new TypeError();
      return inner;
    });
    const placeOf = (path: string) => new Reader(text).read().placeOf(path);
    return JSON.stringify(value) === text ? { value, placeOf } : undefined;
  } catch {
    return undefined;
  }
}

class Reader {
  private readonly starts = [0];
  private readonly offsets = new Map<string, number>();
  private readonly anchors = new Map<string, unknown>();

  constructor(private readonly text: string) {}

  read(): ReadYaml {
    const root = this.compose(this.tokens());
    const value = root ? this.valueOf(root, '') : null;
    return { value, placeOf: (path) => this.nearest(path) };
  }

  /** I1, and I2 for what is no YAML at all. */
  private tokens(): CST.Token[] {
    const parser = new Parser((offset) => this.starts.push(offset));
    const tokens: CST.Token[] = [];
    let [count, aliases] = [0, 0];
    const take = (token: CST.Token) => {
      if (token.type === 'error') throw this.fault(token.offset, firstLine(token.message));
      tokens.push(token);
    };
    for (const lexeme of new Lexer().lex(this.text)) {
      if (++count > most.tokens) throw whole(`more than ${most.tokens} tokens; a spec is a page of text`);
      if (lexeme.startsWith('*') && ++aliases > most.aliases)
        throw whole(`more than ${most.aliases} aliases; write them out`);
      for (const token of parser.next(lexeme)) take(token);
      if (parser.stack.length > most.depth) throw whole(`nested deeper than ${most.depth}; a spec is flatter`);
    }
    for (const token of parser.end()) take(token);
    return tokens;
  }

  private compose(tokens: CST.Token[]): ParsedNode | null {
    const composer = new Composer({ uniqueKeys: false, logLevel: 'silent' });
    // I2, I4: the library has no option for it.
    Object.assign(composer, {
      onError: (
        at: number | readonly number[] | { offset: number },
        _code: string,
        message: string,
        warning?: boolean,
      ) => {
        if (!warning)
          throw this.fault(typeof at === 'number' ? at : 'offset' in at ? at.offset : at[0], firstLine(message));
      },
    });
    let root: ParsedNode | null | undefined;
    for (const document of composer.compose(tokens, true, this.text.length)) {
      if (root !== undefined) throw this.fault(document.range[0], 'a second document; write one spec a file');
      root = document.contents;
    }
    return root ?? null;
  }

  private valueOf(node: ParsedNode | Alias.Parsed | null, path: string): unknown {
    if (node === null) return null;
    this.offsets.set(path, node.range[0]);
    if (isAlias(node)) return this.aliased(node, path);
    const value = isScalar(node)
      ? node.value
      : isSeq<ParsedNode>(node)
        ? node.items.map((item, i) => this.valueOf(item, join(path, String(i))))
        : isMap<ParsedNode, ParsedNode | null>(node)
          ? this.objectOf(node, path)
          : null;
    const { anchor } = node;
    if (anchor) this.anchors.set(anchor, value);
    return value;
  }

  /** Only what stands before it, so that nothing holds itself. */
  private aliased({ source, range }: Alias.Parsed, path: string): unknown {
    if (this.anchors.has(source)) return this.anchors.get(source);
    throw this.fault(range[0], `no anchor "${source.slice(0, 40)}" before it`, path);
  }

  /** I3 */
  private objectOf(map: YAMLMap<ParsedNode, ParsedNode | null>, path: string): object {
    const seen = new Map<string, unknown>();
    for (const { key, value } of map.items) {
      const at = key?.range[0] ?? map.range?.[0] ?? 0;
      if (!isScalar(key)) throw this.fault(at, 'a key that is no text; write a name', path);
      const name = String(key.value);
      const own = join(path, name);
      if (name === '__proto__') throw this.fault(at, '"__proto__" is a reserved name; choose another', own);
      if (seen.has(name)) throw this.fault(at, `"${name.slice(0, 40)}" stands here twice; write it once`, own);
      seen.set(name, this.valueOf(value, own));
      this.offsets.set(own, at);
    }
    return Object.fromEntries(seen);
  }

  private fault(offset: number, problem: string, path = '(file)'): YamlFault {
    return new YamlFault(path, problem, this.placeAt(offset));
  }

  private nearest(path: string): Place {
    for (let at = path; at; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
      const offset = this.offsets.get(at);
      if (offset !== undefined) return this.placeAt(offset);
    }
    return this.placeAt(this.offsets.get('') ?? 0);
  }

  /** `starts` rise: the first character of each line. */
  private placeAt(offset: number): Place {
    let [low, high] = [0, this.starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.starts[middle] <= offset) low = middle + 1;
      else high = middle;
    }
    return { line: low, column: offset - this.starts[low - 1] + 1 };
  }
}

const join = (path: string, part: string) => (path ? `${path}.${part}` : part);
const firstLine = (message: string) => message.split('\n', 1)[0];
