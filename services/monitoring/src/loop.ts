/**
 * What a tick does: for each model, in order of name, follow what was heard, close days, sound alarms, judge trials,
 * end what is overdue, and open a cycle where the policy says so. Nothing else decides.
 *
 * I1  Every step looks at documents and does what they still lack, so that a tick handled twice is a tick handled once.
 * I2  What is kept in memory is a copy of documents; it is dropped whenever this process cannot be sure to have seen
 *     every tick before (after an error, a redelivery, or a tick that another replica handled).
 * I3  Where monitoring is led, each model's turn begins with a look whether this replica still leads; what a turn writes
 *     whole is written under its number (fenced.ts), the rest by compare-and-set or once, by its id.
 * I4  Time never goes back: a tick older than the last one handled is nothing; the same one again is done again (I1).
 * I5  A model whose turn fails by a fault of its own is set aside until the next tick, loudly, and the others go on. Its facts
 *     stay unsettled and its memory is dropped, so that the next tick decides from the same records. What is retriable (a
 *     dependency away) fails the tick for all, and the same tick comes again: docs/decisions/0025.
 */
import type { Cause } from '@driftloop/documents';
import { Isolation, Leadership, Log, setAsideInWords } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { Facts } from './facts.js';
import { LoopDocuments } from './loop.documents.js';
import type { FactDocument } from './loop-rows.js';
import type { ModelMemory, Tick } from './memory.js';
import { ModelTurn } from './model-turn.js';
import type { ModelView } from './view.js';

/** What a model is set aside from, as status and metrics name it. */
const evaluation = 'evaluation';

@Injectable()
export class Loop {
  private memories = new Map<string, ModelMemory>();
  private views: Map<string, ModelView> | undefined;
  /** Event time of the last tick that this process has handled, epoch ms; 0 before any. */
  now = 0;

  constructor(
    private readonly facts: Facts,
    private readonly turn: ModelTurn,
    private readonly documents: LoopDocuments,
    private readonly log: Log,
    private readonly leadership: Leadership,
    private readonly isolation: Isolation,
  ) {}

  async tick(tick: Tick, cause: Cause): Promise<void> {
    const last = await this.documents.clock();
    if (last && tick.now < last.now) {
      this.log.warn({ now: new Date(tick.now), last: new Date(last.now) }, 'a tick older than the last is ignored');
      return;
    }
    if (tick.previous !== this.now) this.forget();
    try {
      await this.pass(tick, cause);
      await this.documents.keepClock(tick.now, tick.previous ?? null);
    } catch (error) {
      this.forget();
      throw error;
    }
    this.now = tick.now;
  }

  /** Drops what is kept in memory: the next tick reads the documents. */
  forget(): void {
    this.memories = new Map();
    this.views = undefined;
  }

  /** For a person: how a model is set aside at present. */
  attention({ tenant, model }: ModelView): string[] {
    return this.isolation.of({ tenant, model }).map(setAsideInWords);
  }

  private async pass(tick: Tick, cause: Cause): Promise<void> {
    this.views ??= await this.facts.views();
    const fresh = await this.facts.fresh(this.views, tick.previous);
    const bySeries = Map.groupBy(fresh, (fact: FactDocument) => fact.series);
    const settled: FactDocument[] = [];
    for (const series of [...this.views.keys()].sort()) {
      const view = this.views.get(series)!;
      if (!view.ready && !view.faults.size) continue;
      this.leadership.check();
      const own = bySeries.get(series) ?? [];
      // I5
      if (await this.isolation.guard(view, evaluation, () => this.evaluate(view, own, tick, cause)))
        settled.push(...own);
      else this.memories.delete(series);
    }
    await this.facts.settle(settled);
  }

  private async evaluate(view: ModelView, facts: readonly FactDocument[], tick: Tick, cause: Cause): Promise<void> {
    for (const fault of view.faults.values()) throw fault;
    const memory = this.memories.get(view.series) ?? (await this.turn.remember(view));
    this.memories.set(view.series, memory);
    await this.turn.take(memory, facts, tick, { ...cause, tenant: view.tenant });
  }
}
