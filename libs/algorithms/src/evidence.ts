/**
 * Evidence: what a decision rests on, in a form that a person can check by hand and that survives JSON (all numbers finite).
 * The wire message carries the same fields.
 */
export interface Evidence {
  /** Name of the test; it is a claim, and `holds` says whether the claim is established: 'non-inferior', 'slice harm', 'psi' … */
  test: string;
  /** What was tested: 'challenger − champion', 'carrier=UA', 'feature dep_delay', 'requests' … */
  subject: string;
  statistic: number;
  /** The value that the statistic is held against. */
  threshold: number;
  holds: boolean;
  rows: number;
  days: number;
  /** The window, the effect in its own units, what drove it. */
  note?: string;
}

/** Largest magnitude that evidence shows: beyond any quantile, and finite, since JSON has no infinity. */
export const EVIDENCE_LIMIT = 1e9;

/** A finite stand-in for display: ±∞ becomes ±EVIDENCE_LIMIT, NaN becomes 0 (the note must then say that it was not a number). */
export function finite(x: number): number {
  if (Number.isNaN(x)) return 0;
  return Math.max(-EVIDENCE_LIMIT, Math.min(EVIDENCE_LIMIT, x));
}
