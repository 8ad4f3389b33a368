/**
 * What the run of a recorded home must come to: the part of an outcome that every later release has too, small enough to be
 * kept beside the home. Fields that a release adds to a cycle or a version are not compared, what was decided is.
 */
import type { Outcome } from '../crash/outcome.js';

/** As recorded, and as JSON. */
export interface Expected {
  readonly ledgerSha256: string;
  readonly decisions: number;
  readonly cycles: readonly object[];
  /** SHA-256 of each version's released and twin bytes. */
  readonly versions: Readonly<Record<string, string>>;
  /** SHA-256 of all answers, and of what every version would have said. */
  readonly answers: string;
  readonly shadows: string;
  /** Predictions counted in closed days. */
  readonly counted: number;
  readonly figures: object;
}

const decided = ['cycleId', 'number', 'signal', 'champion', 'version', 'stage', 'outcome', 'opened', 'closed'] as const;

export function expectedOf({
  ledger,
  ledgerSha256,
  cycles,
  bytes,
  answers,
  shadows,
  counted,
  figures,
}: Outcome): Expected {
  const told = (cycle: object) =>
    Object.fromEntries(Object.entries(cycle).filter(([name]) => (decided as readonly string[]).includes(name)));
  return {
    ...{ ledgerSha256, decisions: ledger.length, cycles: cycles.map(told), versions: bytes },
    ...{ answers, shadows, counted, figures },
  };
}
