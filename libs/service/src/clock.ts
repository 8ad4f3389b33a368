/**
 * What time it is: for leases, timeouts and backoff, for whoever acts now, and for questions about now. No decision reads
 * it. Specs put a clock of their own in its place.
 *
 * I1  What `now` says is what the machine's wall says, as long as that and its monotonic clock agree. A wall that jumps by
 *     more than `maxGapMs` either way is not believed: time goes on from where it was, as fast as the monotonic clock runs,
 *     until the wall is plausible again or somebody accepts it.
 * I2  A smaller jump is believed: a machine that slept for some days, a clock that was set right.
 */

/** The machine's two clocks, ms. */
export interface MachineClocks {
  /** Since 1970, as the machine has been told. */
  wall(): number;
  /** Since some moment; never back, but it may stand still while a machine sleeps. */
  monotonic(): number;
}

/** A week: longer than a machine sleeps, shorter than a wrong clock is wrong by. */
export const usualMaxGapMs = 7 * 86_400_000;

const machine: MachineClocks = { wall: () => Date.now(), monotonic: () => performance.now() };

export class WallClock {
  /** When the wall was believed last, by both clocks. */
  private believed: { readonly wall: number; readonly monotonic: number };
  private doubted = false;
  private readonly told = new Set<(jumpMs: number) => void>();

  constructor(
    private readonly clocks: MachineClocks = machine,
    private readonly maxGapMs = usualMaxGapMs,
  ) {
    this.believed = { wall: clocks.wall(), monotonic: clocks.monotonic() };
  }

  /** Epoch ms. It may jump by less than the greatest gap, where somebody sets the machine's clock (I1). */
  now(): number {
    const { wall, monotonic, jump } = this.read();
    this.tell(jump);
    if (jump) return wall - jump;
    this.believed = { wall, monotonic };
    return wall;
  }

  /** What the machine's wall says, believed or not: for deadlines that others computed by it. */
  wall(): number {
    return this.clocks.wall();
  }

  /** How far the wall has jumped from what is believed, ms; 0 where it is believed. */
  get jumpMs(): number {
    return this.read().jump;
  }

  /** Believes the wall as it is: somebody has looked at it. */
  accept(): void {
    this.believed = { wall: this.clocks.wall(), monotonic: this.clocks.monotonic() };
  }

  /**
   * Has somebody told when the wall is no longer believed (how far it has jumped, ms), and when it is again (0); the call
   * that it returns ends that.
   */
  whenDoubted(tell: (jumpMs: number) => void): () => void {
    this.told.add(tell);
    return () => this.told.delete(tell);
  }

  private tell(jump: number): void {
    if (this.doubted === (jump !== 0)) return;
    this.doubted = jump !== 0;
    for (const tell of this.told) tell(jump);
  }

  private read() {
    const wall = this.clocks.wall();
    const monotonic = this.clocks.monotonic();
    const jump = Math.ceil(wall - this.believed.wall - (monotonic - this.believed.monotonic));
    return { wall, monotonic, jump: Math.abs(jump) > this.maxGapMs ? jump : 0 };
  }

  /** Ms since some moment; never back, but it may stand still while a machine sleeps. */
  elapsed(): number {
    return this.clocks.monotonic();
  }

  /** Does work once, after `ms`; the call that it returns cancels. It keeps no process alive. */
  after(ms: number, work: () => void): () => void {
    const timer = setTimeout(work, ms).unref();
    return () => clearTimeout(timer);
  }
}

let shared: WallClock | undefined;

/** The one clock of this process's services: what is accepted for one is accepted for all. */
export function processClock(maxGapMs = usualMaxGapMs): WallClock {
  shared ??= new WallClock(machine, maxGapMs);
  return shared;
}
