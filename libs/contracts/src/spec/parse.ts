/** Reading a ModelSpec: YAML or JSON in; a validated spec, or every fault with its path and a fix. */
import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { catalogue } from '../errors.js';
import { type ModelSpec, modelSpecSchema } from './model-spec.js';
import { brokenReferences, type SpecFault } from './references.js';

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
  const faults = brokenReferences(result.data);
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
