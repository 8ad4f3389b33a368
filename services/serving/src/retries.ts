/** Trying again what could not be done, model by model: sooner at first, then ever more rarely, until it is forgotten. */
import type { WallClock } from '@driftloop/service';

const firstMs = 5_000;
const longestMs = 300_000;

export class Retries {
  private readonly due = new Map<string, { ms: number; cancel: () => void }>();
  private stopped = false;

  constructor(private readonly clock: WallClock) {}

  /** Does work after a while, in the place of what was to be done for this model. */
  soon(model: string, work: () => Promise<void>): void {
    const known = this.due.get(model);
    known?.cancel();
    if (this.stopped) return;
    const ms = known ? Math.min(longestMs, known.ms * 2) : firstMs;
    const cancel = this.clock.after(ms, () => void work().catch(() => this.soon(model, work)));
    this.due.set(model, { ms, cancel });
  }

  forget(model: string): void {
    this.due.get(model)?.cancel();
    this.due.delete(model);
  }

  stop(): void {
    this.stopped = true;
    for (const { cancel } of this.due.values()) cancel();
  }
}
