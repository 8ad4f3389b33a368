/** Reading a ModelSpec: YAML or JSON in; a validated spec, or every fault with its path and a fix. */
import { createHash } from 'node:crypto';
import { catalogue } from '../errors.js';
import { shortened } from '../text-limits.js';
import { conflicts } from './conflicts.js';
import { type ModelSpec, modelSpecSchema } from './model-spec.js';
import { brokenReferences, type SpecFault } from './references.js';
import { faultsOf } from './schema-faults.js';
import { type ReadYaml, readYaml, YamlFault } from './yaml.js';

/** What is told of one spec: faults that fit into the header of a reply, as JSON, and those that its message names, in characters. */
const most = { told: 2800, named: 800 };

export const specErrors = catalogue('spec', {
  SPEC_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: ({ faults, more }: { faults: SpecFault[]; more: number }) =>
      `the model spec has ${faults.length + more} fault(s): ${inWords(faults, more)}`,
    remedy: 'mend each fault where it stands, and apply again',
  },
});

/**
 * Parses and validates a spec text (at most 256 KiB), one that is kept or new. Throws SPEC_INVALID with all faults in
 * `details.faults`.
 */
export function parseModelSpec(text: string): ModelSpec {
  return parsed(text, brokenReferences);
}

/**
 * As parseModelSpec, for a spec that is not kept yet: what reads well and cannot be learned, served or watched is refused as well.
 * A spec that is kept stays as good as it was when it was declared.
 */
export function parseNewModelSpec(text: string): ModelSpec {
  return parsed(text, (spec) => [...brokenReferences(spec), ...conflicts(spec)]);
}

function parsed(text: string, faultsIn: (spec: ModelSpec) => SpecFault[]): ModelSpec {
  const raw = read(text);
  const result = modelSpecSchema.safeParse(raw.value);
  if (!result.success) throw invalid(faultsOf(modelSpecSchema, raw.value, result.error.issues), raw);
  const faults = faultsIn(result.data);
  if (faults.length) throw invalid(faults, raw);
  return result.data;
}

function read(text: string): ReadYaml {
  try {
    return readYaml(text);
  } catch (error) {
    if (!(error instanceof YamlFault)) throw error;
    const { path, problem, place } = error;
    const known = path === '(file)' && place ? `not YAML or JSON: ${problem}` : problem;
    throw specErrors.SPEC_INVALID({ faults: [{ path, problem: known, ...place }], more: 0 });
  }
}

/** With the place of each; the first ones that fit, and how many more there are. */
function invalid(faults: readonly SpecFault[], raw: ReadYaml) {
  const told: SpecFault[] = [];
  let room = most.told;
  for (const { path, problem } of faults) {
    const fault = { path: shortened(path, 200), problem: shortened(problem, 300), ...raw.placeOf(path) };
    room -= Buffer.byteLength(JSON.stringify(fault));
    if (room < 0) break;
    told.push(fault);
  }
  return specErrors.SPEC_INVALID({ faults: told, more: faults.length - told.length });
}

/** The first ones, and how many more there are. */
function inWords(faults: readonly SpecFault[], more: number): string {
  const named: string[] = [];
  let room = most.named;
  for (const { path, problem, line, column } of faults) {
    const text = line ? `${path} (line ${line}, column ${column}): ${problem}` : `${path}: ${problem}`;
    room -= text.length;
    if (room < 0) break;
    named.push(text);
  }
  const rest = faults.length - named.length + more;
  return [...named, ...(rest ? [`and ${rest} more`] : [])].join('; ');
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
