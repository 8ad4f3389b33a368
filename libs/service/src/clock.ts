/** Wall time, for leases, timeouts and backoff alone: no decision reads it. */
export class WallClock {
  /** Epoch ms. */
  now(): number {
    return Date.now();
  }
}
