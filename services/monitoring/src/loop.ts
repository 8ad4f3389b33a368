/**
 * What a tick does: for each model, in order of name, follow what was heard, close days, sound alarms, judge trials,
 * end what is overdue, and open a cycle where the policy says so. Nothing else decides.
 *
 * I1  Every step looks at documents and does what they still lack, so that a tick handled twice is a tick handled once.
 * I2  What is kept in memory is a copy of documents; it is dropped whenever this process cannot be sure to have seen
 *     every tick before (after an error, a redelivery, or a tick that another replica handled).
 */
import { Bus } from '@driftloop/bus';
import { events, TimePassed } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { Facts } from './facts.js';
import type { FactDocument } from './loop.documents.js';
import type { ModelMemory, Tick } from './memory.js';
import { ModelTurn } from './model-turn.js';
import type { ModelView } from './view.js';

/** How many ticks are read back for the one before: more than one, in case it was told several times. */
const lookBack = 16;

@Injectable()
export class Loop {
  private memories = new Map<string, ModelMemory>();
  private views: Map<string, ModelView> | undefined;
  private lastOffset: number | undefined;
  private previous: number | undefined;
  /** Event time of the last tick that this process has handled, epoch ms; 0 before any. */
  now = 0;

  constructor(
    private readonly facts: Facts,
    private readonly turn: ModelTurn,
    private readonly bus: Bus,
  ) {}

  async tick(tick: Tick, cause: Cause): Promise<void> {
    if (cause.position?.offset === undefined || cause.position.offset - 1 !== this.lastOffset) this.forget();
    try {
      await this.pass(tick, await this.before(tick, cause), cause);
    } catch (error) {
      this.forget();
      throw error;
    }
    this.lastOffset = cause.position?.offset;
    if (tick.now > this.now) this.previous = this.now || undefined;
    this.now = tick.now;
  }

  /** The tick before this one: remembered, or read back from the log. A tick told twice is one tick. */
  private async before({ now }: Tick, { position }: Cause): Promise<number | undefined> {
    if (this.lastOffset !== undefined) return now > this.now ? this.now : this.previous;
    if (!position?.offset) return undefined;
    const from = Math.max(0, position.offset - lookBack);
    const earlier = await this.bus.read(events.timePassed.topic, position.partition, from, position.offset - from);
    const times = earlier.map((event) => TimePassed.fromJSON(event.data).now!.getTime());
    return times.filter((time) => time < now).at(-1);
  }

  private forget(): void {
    this.memories = new Map();
    this.views = undefined;
    this.lastOffset = undefined;
  }

  private async pass(tick: Tick, previous: number | undefined, cause: Cause): Promise<void> {
    this.views ??= await this.facts.views();
    const fresh = await this.facts.fresh(this.views, previous);
    const bySeries = Map.groupBy(fresh, (fact: FactDocument) => fact.series);
    for (const series of [...this.views.keys()].sort()) {
      const view = this.views.get(series)!;
      if (!view.ready) continue;
      const memory = this.memories.get(series) ?? (await this.turn.remember(view));
      this.memories.set(series, memory);
      await this.turn.take(memory, bySeries.get(series) ?? [], tick, { ...cause, tenant: view.tenant });
    }
    await this.facts.settle(fresh.filter((fact) => this.views!.get(fact.series)!.ready));
  }
}
