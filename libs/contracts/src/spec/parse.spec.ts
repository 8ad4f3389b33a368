/** A spec's text from outside: what is taken, what is refused by name, with its line, and what work is never begun. */
import { readFileSync } from 'node:fs';
import { Composer } from 'yaml';
import { LoopError } from '../errors.js';
import { durationMs } from './duration.js';
import { featureColumns } from './features.js';
import { canonicalSpec, parseModelSpec } from './parse.js';
import type { SpecFault } from './references.js';

const specOf = (lines: Record<string, string> = {}) => `apiVersion: driftloop/v1
kind: Model
metadata: { name: visits }
spec:
  task: binary
  entity: { name: visit, time: planned }
  question: { lead: ${lines.lead ?? '2h'} }
  request: { inputs: { ${lines.inputs ?? 'region: text, planned: time'} }, source: ${lines.source ?? 'plan'} }
  sources: { ${lines.sources ?? 'plan: { columns: { region: text } }, seen: { columns: { wait: number } }'} }
  features: [${lines.features ?? '{ input: region }'}]
  label: { name: bad, closeAfter: 12h, censorAfter: 48h }
  monitoring: { window: ${lines.window ?? '14d'} }
`;

function refusalOf(text: string): Pick<LoopError, 'message' | 'details'> {
  try {
    parseModelSpec(text);
  } catch (error) {
    expect((error as LoopError).code).toBe('SPEC_INVALID');
    return error as LoopError;
  }
  return { message: '', details: { faults: [] } };
}

const faultsOf = (text: string) => refusalOf(text).details.faults as SpecFault[];

describe('names of what every object inherits', () => {
  const inherited = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'];

  it.each(inherited)('name no source, column or input that nobody declared: %s', (name) => {
    const of = (features: string) => faultsOf(specOf({ features }))[0]?.path ?? '';
    expect(of(`{ window: ${name}, aggregate: count, over: [2h] }`)).toMatch(/^spec\.features\.0/);
    expect(of(`{ window: seen, aggregate: mean, of: ${name}, over: [2h] }`)).toMatch(/^spec\.features\.0/);
    expect(of(`{ latest: ${name}, columns: [wait], maxAge: 2h }`)).toMatch(/^spec\.features\.0/);
    expect(of(`{ overdue: seen, until: ${name}, over: [2h], by: region }`)).toMatch(/^spec\.features\.0/);
    expect(of(`{ input: ${name} }`)).toMatch(/^spec\.features\.0/);
    expect(faultsOf(specOf({ source: name }))[0].path).toBe('spec.request.source');
  });

  it.each(inherited.filter((name) => name !== '__proto__'))(
    'are names like any other where they are declared: %s',
    (name) => {
      const sources = `plan: { columns: { ${name}: text } }, ${name.toLowerCase()}: { columns: { ${name}: number } }`;
      const features = `{ input: ${name} }, { window: ${name.toLowerCase()}, aggregate: mean, of: ${name}, as: a, over: [2h] }`;
      const spec = parseModelSpec(specOf({ inputs: `${name}: text, planned: time`, sources, features }));
      expect(featureColumns(spec)).toMatchObject([
        { name, kind: 'text' },
        { name: 'a_2h', kind: 'number' },
      ]);
    },
  );

  it.each([
    [
      'columns',
      { sources: 'plan: { columns: { region: text, __proto__: text } }' },
      'spec.sources.plan.columns.__proto__',
      9,
    ],
    ['inputs', { inputs: 'region: text, planned: time, "__proto__": text' }, 'spec.request.inputs.__proto__', 8],
    [
      'sources',
      { sources: '__proto__: { columns: {} }, plan: { columns: { region: text } }' },
      'spec.sources.__proto__',
      9,
    ],
  ])('"__proto__" is refused with its path and line as a key of %s, as YAML and as JSON', (_, lines, path, line) => {
    const problem = expect.stringContaining('"__proto__" is a reserved name; choose another');
    expect(faultsOf(specOf(lines))).toEqual([{ path, problem, line, column: expect.any(Number) }]);
    expect(faultsOf('{"spec":{"__proto__":{"columns":1}}}')).toEqual([
      { path: 'spec.__proto__', problem, line: 1, column: 10 },
    ]);
  });
});

describe('bounds', () => {
  it.each([
    ['400 nines of days', { window: `${'9'.repeat(400)}d` }],
    ['more than ten years', { window: '3661d' }],
    ['a lead beyond all times', { lead: '999999999d' }],
  ])('refuse a duration of %s', (_, lines) => {
    expect(faultsOf(specOf(lines))).toHaveLength(1);
  });

  it('hold wherever a duration is read', () => {
    expect(durationMs('3660d')).toBe(3660 * 86_400_000);
    for (const text of [`${'9'.repeat(400)}d`, '3661d', '1e9d', '-1d'])
      expect(() => durationMs(text)).toThrow(RangeError);
  });

  it('refuse more columns than are evaluated at each tick', () => {
    const over = Array.from({ length: 50 }, (_, i) => `${i + 1}h`).join(', ');
    const one = (i: number) => `{ window: seen, aggregate: count, as: c${i}, over: [${over}] }`;
    const features = Array.from({ length: 41 }, (_, i) => one(i)).join(', ');
    expect(faultsOf(specOf({ features }))).toMatchObject([{ problem: '2050 columns; at most 2000' }]);
  });

  it.each(['probability', 'driftloop_matrix'])('refuse a column that the graph has for itself: %s', (name) => {
    const sources = `plan: { columns: { ${name}: number } }`;
    const faults = faultsOf(
      specOf({ inputs: `${name}: number, planned: time`, sources, features: `{ input: ${name} }` }),
    );
    expect(faults).toMatchObject([{ path: 'spec.features.0', problem: expect.stringContaining('reserved') }]);
  });
});

describe('a text that would take long', () => {
  /** How many nodes the library has composed of a text that is refused. */
  const composed = (text: string) => {
    const { compose } = Composer.prototype;
    let documents = 0;
    Composer.prototype.compose = function* (...args) {
      documents++;
      yield* compose.apply(this, args);
    };
    try {
      return { faults: faultsOf(text), documents };
    } finally {
      Composer.prototype.compose = compose;
    }
  };
  const long = (part: string, length = 90_000) => part.repeat(length / part.length);

  it.each([
    ['brackets', long('['), /deeper than 64/],
    ['braces', long('{a: '), /deeper than 64/],
    ['dashes', long('- '), /deeper than 64/],
    ['closing brackets', long(']'), /Unexpected/],
    ['commas', `[${long(',')}`, /tokens/],
    ['quotes', long('"a" '), /tokens/],
    ['aliases', `- &a x\n${long('- *a\n')}`, /more than 20 aliases/],
    ['keys', Array.from({ length: 12_000 }, (__, i) => `k${i}: 1`).join('\n'), /tokens/],
    ['lines', long('x: 1\n', 200_000), /tokens/],
    ['more characters than a spec has', long('a', 262_145), /256 KiB/],
    ['deep JSON', `{"a":${long('[', 50_000)}${long(']', 50_000)}}`, /deeper than 64|tokens/],
  ])('of %s is refused before anything is composed of it', (_, text, problem) => {
    const { faults, documents } = composed(text);
    expect(faults).toMatchObject([{ problem: expect.stringMatching(problem) }]);
    expect(documents).toBe(0);
  });

  it('is told of with its first fault alone', () => {
    expect(faultsOf(`a: "${long('\\x', 2000)}"`)).toMatchObject([
      { problem: expect.stringContaining('escape'), line: 1 },
    ]);
    expect(faultsOf(long('&a ', 9000))).toMatchObject([{ problem: expect.stringContaining('anchor') }]);
  });

  it('is told of with as many faults as a reply has room for, and how many more there are', () => {
    const text = specOf({
      features: Array(200)
        .fill(`{ nobody: ${'x'.repeat(100)} }`)
        .join(', '),
    });
    const { details, message } = refusalOf(text);
    const { faults, more } = details as { faults: SpecFault[]; more: number };
    expect(faults.length).toBeGreaterThan(10);
    expect(faults.length + more).toBe(200);
    expect(Buffer.byteLength(JSON.stringify({ message, details }))).toBeLessThan(3900);
    expect(message).toMatch(/^the model spec has 200 fault\(s\): spec\.features\.0 .*; and \d{3} more$/);
  });
});

describe('a text', () => {
  it('writes nothing to standard error where the library would warn', () => {
    const warnings: unknown[] = [];
    const warned = (warning: unknown) => warnings.push(warning);
    process.on('warning', warned);
    const { emitWarning } = process;
    process.emitWarning = warned as never;
    try {
      faultsOf('- !!unknown x\n%YAML 9.9\n');
      faultsOf('? { a: b }\n: c\n');
    } finally {
      process.emitWarning = emitWarning;
      process.off('warning', warned);
    }
    expect(warnings).toEqual([]);
  });

  it('has each key once, and says where it stands twice', () => {
    const text = specOf().replace('  task: binary\n', '  task: binary\n  task: binary\n');
    expect(faultsOf(text)).toEqual([
      { path: 'spec.task', problem: expect.stringContaining('twice'), line: 6, column: 3 },
    ]);
    expect(faultsOf('{"kind":"Model","kind":"Model"}')).toMatchObject([{ path: 'kind' }]);
  });

  it('is told of with the line and column of each fault, in a text of one line as well', () => {
    const path = 'spec.monitoring.window';
    expect(faultsOf(specOf({ window: 'soon' }))).toMatchObject([{ path, line: 12, column: 17 }]);
    const kept = canonicalSpec(parseModelSpec(specOf())).json.replace('"window":"14d"', '"window":"soon"');
    expect(faultsOf(kept)).toMatchObject([{ path, line: 1, column: kept.indexOf('"window":"soon"') + 1 }]);
  });

  it('may name what it repeats', () => {
    const text = specOf({ features: '{ input: region }' }).replace('closeAfter: 12h', 'closeAfter: &half 12h');
    expect(parseModelSpec(text.replace('censorAfter: 48h', 'censorAfter: *half')).spec.label.censorAfter).toBe('12h');
  });

  it('is the same spec as YAML and as the JSON that is kept of it', () => {
    const spec = parseModelSpec(readFileSync('examples/flights/model.yaml', 'utf8'));
    expect(parseModelSpec(canonicalSpec(spec).json)).toEqual(spec);
    expect(parseModelSpec(JSON.stringify(spec, null, 2))).toEqual(spec);
  });
});
