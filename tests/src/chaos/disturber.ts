/**
 * What production does to a house (acts.ts), when: drawn by a seed, and done as a run comes along.
 *
 * I1  The kinds, their order and the parts of the run at which they fall are the seed's; the moment is the machine's, as in
 *     production. They are spread over the whole run: trainings, trials and promotions get their share.
 * I2  One thing after another, and all that was planned, at the end if need be.
 */
import { Random } from '@driftloop/algorithms';
import { Acts, type Done, type Reach } from './acts.js';

export interface Plan {
  readonly seed: number;
  /** How often each part of the house loses a replica. */
  readonly kills: number;
  /** How many services are stopped for a while; every other one for longer than its session and its lead last. */
  readonly stops: number;
  /** How often a third of all events comes again; once more at the end, where it does. */
  readonly repeats: number;
  /** How long a server stays away the second time, ms. */
  readonly away: number;
}

interface Due {
  readonly act: () => Promise<void>;
  /** The share of the run at which it is due. */
  readonly at: number;
}

/** The last acts fall before the run's last steps: what comes of them is still decided upon. */
const lastShare = 0.95;

export class Disturber {
  private stopped = false;
  private running: Promise<void> | undefined;
  private readonly random: Random;
  private readonly acts: Acts;
  private readonly due: Due[];
  private share = 0;

  constructor(
    private readonly reach: Reach,
    private readonly plan: Plan,
  ) {
    this.random = new Random(plan.seed);
    this.acts = new Acts(reach, this.random, plan.seed);
    this.due = this.planned();
  }

  get done(): Done {
    return this.acts.done;
  }

  /** So much of the run is over, of 1: what is due is done. */
  reached(share: number): void {
    if (this.stopped) return;
    this.reach.caller.start();
    this.share = share;
    this.running ??= this.disturb().finally(() => {
      this.running = undefined;
    });
  }

  /** Does what is left, then ends; everything runs again when it resolves, and nobody asks any more. */
  async calm(): Promise<void> {
    this.reached(1);
    this.stopped = true;
    await this.running;
    await this.reach.caller.stop();
  }

  private planned(): Due[] {
    const { kills, stops, repeats, away } = this.plan;
    const { house, servers } = this.reach;
    const parts = [...Map.groupBy(house.processes, ({ part }) => part).values()];
    const services = parts.filter(([{ part }]) => part !== 'gateway');
    const acts = [
      ...parts.flatMap((replicas) => times(kills, () => this.acts.kill(this.oneOf(replicas)))),
      ...this.drawn(services, stops).map((replicas, i) => () => this.acts.stop(this.oneOf(replicas), i % 2 === 0)),
      ...times(repeats, () => this.acts.repeat()),
      ...(servers ? ['kafka', 'mongo', 'minio'] : []).flatMap((name) =>
        [0, away].map((ms) => () => this.acts.restart(name, ms)),
      ),
      () => this.acts.poison(),
    ];
    const drawn = acts.map((act) => ({ act, at: this.random.uniform() * lastShare })).sort((a, b) => a.at - b.at);
    // When all has been asked there are days of ticks to come: what has been decided by then comes again before them.
    return repeats ? [...drawn, { act: () => this.acts.repeat(), at: 1 }] : drawn;
  }

  private async disturb(): Promise<void> {
    while (this.due.length > 0 && this.due[0].at <= this.share)
      await this.due
        .shift()!
        .act()
        .catch((error: Error) => this.done.undone.push(error.message));
  }

  private oneOf<T>(of: readonly T[]): T {
    return of[this.random.integer(of.length)];
  }

  /** So many, each once before any again. */
  private drawn<T>(of: readonly T[], count: number): T[] {
    const left: T[] = [];
    return Array.from({ length: count }, () => {
      if (left.length === 0) left.push(...of);
      return left.splice(this.random.integer(left.length), 1)[0];
    });
  }
}

const times = <T>(count: number, act: () => T): (() => T)[] => Array.from({ length: count }, () => act);
