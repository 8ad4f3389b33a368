/** One model's turn at a tick: the order in which things are looked at, and what is remembered in between. */
import type { Cause } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { Checks } from './checks.js';
import { Cycles } from './cycle.js';
import { type FactDocument, LoopDocuments, type WatchDocument } from './loop.documents.js';
import type { ModelMemory, Tick } from './memory.js';
import { Trials } from './trials.js';
import type { ModelView } from './view.js';
import { Watch } from './watch.js';

@Injectable()
export class ModelTurn {
  constructor(
    private readonly documents: LoopDocuments,
    private readonly watch: Watch,
    private readonly cycles: Cycles,
    private readonly trials: Trials,
    private readonly checks: Checks,
  ) {}

  /** Reads what a model's documents say, where this process has no copy. */
  async remember(view: ModelView): Promise<ModelMemory> {
    const blank: WatchDocument = {
      ...{ _id: view.series, now: 0, signalled: null, checked: null },
      ...{ alerts: [], latest: [], trial: [] },
    };
    const watch = (await this.documents.watch(view.series)) ?? blank;
    const progress = await this.watch.resume(view);
    return { view, progress, watch, cycle: await this.cycles.openOf(view.series), judged: undefined };
  }

  async take(memory: ModelMemory, facts: readonly FactDocument[], tick: Tick, cause: Cause): Promise<void> {
    const { view, progress } = memory;
    for (const fact of facts) await this.cycles.follow(view, fact, tick.now, cause);
    if (facts.length) memory.cycle = await this.cycles.openOf(view.series);
    await this.watch.close(view, progress, tick.now);
    await this.watch.censor(view, progress, tick.now);
    await this.trials.look(memory, tick, cause);
    await this.checks.look(memory, tick.now, cause);
  }
}
