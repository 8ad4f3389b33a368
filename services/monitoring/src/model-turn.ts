/** One model's turn at a tick: the order in which things are looked at, and what is remembered in between. */
import type { Cause } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { Breaker } from './breaker.js';
import { Checks } from './checks.js';
import { Cycles } from './cycle.js';
import { Hold } from './hold.js';
import { LoopDocuments } from './loop.documents.js';
import type { FactDocument, WatchDocument } from './loop-rows.js';
import type { ModelMemory, Tick } from './memory.js';
import { Quarantine } from './quarantine.js';
import { Silence } from './silence.js';
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
    private readonly silence: Silence,
    private readonly breaker: Breaker,
    private readonly hold: Hold,
    private readonly quarantine: Quarantine,
  ) {}

  /** Reads what a model's documents say, where this process has no copy. */
  async remember(view: ModelView): Promise<ModelMemory> {
    const blank: WatchDocument = {
      ...{ _id: view.series, now: 0, signalled: null, checked: null },
      ...{ alerts: [], latest: [], trial: [] },
    };
    const watch = (await this.documents.watch(view.series)) ?? blank;
    const progress = await this.watch.resume(view);
    return {
      view,
      progress,
      watch,
      cycle: await this.cycles.openOf(view.series),
      judged: undefined,
      paused: false,
      looked: false,
    };
  }

  async take(memory: ModelMemory, facts: readonly FactDocument[], tick: Tick, cause: Cause): Promise<void> {
    const { view, progress } = memory;
    for (const fact of facts) await this.cycles.follow(view, fact, tick, cause);
    if (facts.length) memory.cycle = await this.cycles.openOf(view.series);
    const before = memory.cycle;
    const held = await this.hold.act(view, tick, cause);
    memory.paused = held.paused;
    await this.watch.close(view, progress, tick.now);
    // Not what this very tick has closed: done again after a crash, it finds the day closed already.
    const news = progress.closed !== undefined && progress.closed !== memory.watch.signalled;
    await this.watch.censor(view, progress, tick.now);
    // The judge looks again where days have left or come back.
    if (await this.quarantine.look(view, progress, tick, cause)) memory.judged = undefined;
    await this.silence.look(view, progress, news, tick.now, cause);
    await this.trials.look(memory, tick, cause);
    // What opens or closes the breaker: a cycle's end, a fact, what a person said; or what a crash has left untold.
    if (!memory.looked || facts.length || news || held.changed || (before && !memory.cycle))
      await this.breaker.look(view, tick.now, cause);
    memory.looked = true;
    await this.checks.look(memory, tick.now, cause);
  }
}
