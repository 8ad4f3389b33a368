/**
 * Who waits, and for how long: a wait ends with its caller, and one caller's waits take no other's place.
 *
 * I1  A signal of a call aborts once nobody reads its answer any more: cancelled, hung up, or past its deadline.
 * I2  A caller has so many places at most, however many are free; a place is given back once, whoever ends the wait.
 */
import { errors } from './errors.js';
import type { QueueState } from './telemetry/metrics.js';

/** What of a server's call says who is at its other end, and whether they are still there. */
export interface WaitedFor {
  readonly cancelled: boolean;
  once(event: 'cancelled', listener: () => void): unknown;
}

/** I1 */
export function abandonment(call: WaitedFor): AbortSignal {
  const gone = new AbortController();
  const abort = () => gone.abort(errors.CALL_ABANDONED({}));
  if (call.cancelled) abort();
  else call.once('cancelled', abort);
  return gone.signal;
}

/** Places of those who wait, bounded for each caller and for all. */
export class Places {
  private readonly taken = new Map<string, number>();
  private all = 0;
  private refused = 0;

  /** `full` makes the (retriable) error of a wait above a limit. */
  constructor(
    private readonly limits: { readonly each: number; readonly all: number },
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
