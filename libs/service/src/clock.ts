/** Wall time, for leases, timeouts and backoff alone: no decision reads it. Specs put a clock of their own in its place. */
export class WallClock {
  /** Epoch ms. It may jump, where somebody sets the machine's clock. */
  now(): number {
    return Date.now();
  }

  /** Ms since some moment; never back, but it may stand still while a machine sleeps. */
  elapsed(): number {
    return performance.now();
  }

  /** Does work once, after `ms`; the call that it returns cancels. It keeps no process alive. */
  after(ms: number, work: () => void): () => void {
    const timer = setTimeout(work, ms).unref();
    return () => clearTimeout(timer);
  }
}
