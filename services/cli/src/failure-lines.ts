/** What a command says of a failure: a line; where a file has faults, a line for each, with its place first. */
import type { CallFailed } from '@driftloop/client';

interface Fault {
  readonly path: string;
  readonly problem: string;
  readonly line?: number;
  readonly column?: number;
}

/** `SPEC_INVALID: 2 faults` and then `  11:50  spec.features.0.over  "48h" is no list: write [48h]`. */
export function failureLines({ code, message, details }: Pick<CallFailed, 'code' | 'message' | 'details'>): string {
  const faults = code === 'SPEC_INVALID' && Array.isArray(details.faults) ? (details.faults as Fault[]) : [];
  if (!faults.length) return `${code}: ${message}`;
  const lines = faults.map(
    ({ path, problem, line, column }) => `  ${line ? `${line}:${column}  ` : ''}${path}  ${problem}`,
  );
  const more = Number(details.more ?? 0);
  const all = faults.length + more;
  const head = `${code}: the model spec has ${all === 1 ? 'a fault' : `${all} faults`}`;
  return [head, ...lines, ...(more ? [`  and ${more} more`] : [])].join('\n');
}
