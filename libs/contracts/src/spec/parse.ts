/** Reading a ModelSpec: YAML or JSON in; a validated spec, or every fault with its path and a fix. */
import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { catalogue } from '../errors.js';
import { featureColumns, outcomesSource } from './features.js';
import { type ModelSpec, modelSpecSchema } from './model-spec.js';

/** One fault of a spec: where it is and what to do. */
export interface SpecFault {
  path: string;
  problem: string;
}

export const specErrors = catalogue('spec', {
  SPEC_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (facts: { faults: SpecFault[] }) =>
      `the model spec has ${facts.faults.length} fault(s): ${facts.faults.map((f) => `${f.path}: ${f.problem}`).join('; ')}`,
  },
});

/** Parses and validates a spec text (at most 256 KiB). Throws SPEC_INVALID with all faults in `details.faults`. */
export function parseModelSpec(text: string): ModelSpec {
  if (text.length > 256 * 1024) throw invalid('(file)', 'larger than 256 KiB; a spec is a page of text');
  let raw: unknown;
  try {
    raw = parse(text, { maxAliasCount: 20 });
  } catch (error) {
    throw invalid('(file)', `not YAML or JSON: ${(error as Error).message.split('\n')[0]}`);
  }
  const result = modelSpecSchema.safeParse(raw);
  if (!result.success) {
    const faults = result.error.issues.map((issue) => ({
      path: issue.path.join('.') || '(file)',
      problem: issue.message,
    }));
    throw specErrors.SPEC_INVALID({ faults });
  }
  const faults = references(result.data);
  if (faults.length) throw specErrors.SPEC_INVALID({ faults });
  return result.data;
}

/** Canonical JSON of a spec (keys sorted) and its SHA-256: the same spec has the same text, however it was written. */
export function canonicalSpec(spec: ModelSpec): { json: string; sha256: string } {
  const json = canonicalJson(spec);
  return { json, sha256: createHash('sha256').update(json).digest('hex') };
}

/** JSON with object keys sorted at every depth. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, v) =>
    v && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}

function invalid(path: string, problem: string) {
  return specErrors.SPEC_INVALID({ faults: [{ path, problem }] });
}

/** Names that refer to something that is not there, or to the wrong kind of thing. */
function references({ spec }: ModelSpec): SpecFault[] {
  const faults: SpecFault[] = [];
  const fault = (path: string, problem: string) => faults.push({ path: `spec.${path}`, problem });
  const known = (names: Iterable<string>) => `known: ${[...names].join(', ') || 'none'}`;
  const inputs = spec.request.inputs;
  const keys = new Set([...Object.keys(inputs), ...Object.keys(spec.derived)]);
  const sources = new Set(Object.keys(spec.sources));

  if (inputs[spec.entity.time] !== 'time')
    fault('entity.time', `"${spec.entity.time}" must be a request input of type time`);
  if (!sources.has(spec.request.source))
    fault('request.source', `no source "${spec.request.source}"; ${known(sources)}`);
  for (const [name, derived] of Object.entries(spec.derived)) {
    if (inputs[derived.from] !== 'time')
      fault(`derived.${name}.from`, `"${derived.from}" must be a request input of type time`);
    try {
      new Intl.DateTimeFormat('en', { timeZone: derived.zone });
    } catch {
      fault(
        `derived.${name}.zone`,
        `"${derived.zone}" is not a time zone; write an IANA name such as America/New_York`,
      );
    }
  }
  spec.features.forEach((feature, i) => {
    const at = `features.${i}`;
    if ('input' in feature) {
      if (!keys.has(feature.input)) fault(`${at}.input`, `no input "${feature.input}"; ${known(keys)}`);
      if (inputs[feature.input] === 'time') fault(`${at}.input`, 'a time is no feature; derive a part of it');
      return;
    }
    const source = 'latest' in feature ? feature.latest : 'window' in feature ? feature.window : feature.overdue;
    const outcomes = 'window' in feature && source === outcomesSource;
    if (!outcomes && !sources.has(source))
      return fault(at, `no source "${source}"; ${known([...sources, outcomesSource])}`);
    const columns: Record<string, string> = outcomes ? { value: 'number' } : spec.sources[source].columns;
    if ('latest' in feature) {
      for (const column of feature.columns)
        if (columns[column] !== 'number') fault(`${at}.columns`, `"${column}" is no number column of ${source}`);
      return;
    }
    if (feature.by && !keys.has(feature.by)) fault(`${at}.by`, `no input "${feature.by}"; ${known(keys)}`);
    if ('overdue' in feature) {
      if (!sources.has(feature.until)) fault(`${at}.until`, `no source "${feature.until}"; ${known(sources)}`);
      return;
    }
    if (feature.aggregate !== 'count' && !feature.of) fault(`${at}.of`, `${feature.aggregate} needs a column`);
    if (feature.of && columns[feature.of] !== 'number')
      fault(`${at}.of`, `"${feature.of}" is no number column of ${source}`);
    if (feature.aggregate === 'shareAbove' && feature.above === undefined)
      fault(`${at}.above`, 'shareAbove needs a bound');
  });
  if (!faults.length) {
    const names = featureColumns({ spec } as ModelSpec).map((column) => column.name);
    for (const name of new Set(names.filter((n, i) => names.indexOf(n) !== i)))
      fault('features', `two columns are called "${name}"; tell them apart with "as"`);
  }
  for (const slice of spec.gate.slices)
    if (!keys.has(slice)) fault('gate.slices', `no input "${slice}"; ${known(keys)}`);
  if (spec.gate.embargo.minDays > spec.gate.embargo.maxDays) fault('gate.embargo', 'minDays is above maxDays');
  return faults;
}
