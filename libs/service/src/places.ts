/**
 * Places of those who hold something open (streams, waits), bounded for each caller and for all: one caller's take no other's.
 *
 * I1  A place is given back once, whoever ends what had it.
 */
import type { QueueState } from './telemetry/metrics.js';

export interface PlaceLimits {
  /** A caller's, however many are free. */
  readonly each: number;
  readonly all: number;
}

/** So many places in all, of which a caller may have a share: one at least. */
export const shared = (all: number, share: number): PlaceLimits => ({
  all,
  each: Math.max(1, Math.floor(all * share)),
});

export class Places {
  private readonly taken = new Map<string, number>();
  private all = 0;
  private refused = 0;

  /** `full` makes the (retriable) error of what is above a limit. */
  constructor(
    private readonly limits: PlaceLimits,
    private readonly full: (limit: number) => Error,
  ) {}

  get state(): QueueState {
    return { depth: this.all, refused: this.refused };
  }

  /** Takes a place; what it returns gives it back, once. Throws what `full` makes. */
  take(caller: string): () => void {
    const own = this.taken.get(caller) ?? 0;
    if (own >= this.limits.each || this.all >= this.limits.all) {
      this.refused++;
      throw this.full(own >= this.limits.each ? this.limits.each : this.limits.all);
    }
    this.taken.set(caller, own + 1);
    this.all++;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.all--;
      const left = this.taken.get(caller)! - 1;
      if (left) this.taken.set(caller, left);
      else this.taken.delete(caller);
    };
  }
}
