/** What a simulation's thread and its service say to each other: plain values only. */
import type { SimulateProgress, SimulateReport } from '@driftloop/contracts';

export interface SimulationInput {
  readonly specJson: string;
  readonly dataset: { readonly path: string; readonly uri: string };
  readonly jitters: number;
  readonly seed: number;
}

/** A part that can be computed again is asked for by name before it is; what was computed is handed over to be kept. */
export type FromSimulation =
  /** The training set is in memory: from now on the thread may be ended at any moment (DuckDB's may not). */
  | { readonly kind: 'read' }
  | { readonly kind: 'ask'; readonly part: string }
  | { readonly kind: 'keep'; readonly part: string; readonly bytes: Uint8Array }
  | { readonly kind: 'progress'; readonly progress: SimulateProgress }
  | { readonly kind: 'report'; readonly report: SimulateReport }
  | { readonly kind: 'failure'; readonly failure: { code: string; message: string; stack?: string } };

/** The part's bytes, or none: then it may be computed now. */
export interface ToSimulation {
  readonly part: string;
  readonly bytes: Uint8Array | undefined;
}
