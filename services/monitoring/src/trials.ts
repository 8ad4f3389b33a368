/** Trials: what a tick does about the rollout of an open cycle: judges its shadow, checks its canary, ends what is overdue. */
import { Evidence } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { Canary } from './canary.js';
import { Cycles } from './cycle.js';
import { Judge } from './judge.js';
import type { Judgement } from './judgement.js';
import type { ModelMemory, Tick } from './memory.js';

@Injectable()
export class Trials {
  constructor(
    private readonly judge: Judge,
    private readonly canary: Canary,
    private readonly cycles: Cycles,
  ) {}

  async look(memory: ModelMemory, tick: Tick, cause: Cause): Promise<void> {
    const { cycle, view } = memory;
    if (!cycle) return;
    const judgement = cycle.judged.includes(cycle.stage) ? undefined : await this.judgementOn(memory, tick);
    if (judgement) await this.cycles.judge(cycle, judgement, tick.now, cause);
    const overdue = tick.now >= cycle.deadline && !judgement;
    if (overdue) await this.cycles.expire(cycle, tick.now, cause);
    if (judgement || overdue) memory.cycle = await this.cycles.openOf(view.series);
  }

  private async judgementOn(memory: ModelMemory, { now, replay }: Tick): Promise<Judgement | undefined> {
    const { cycle, view, progress } = memory;
    if (cycle?.stage === 'canary') return this.canary.check(view, cycle, now, replay);
    if (cycle?.stage !== 'shadow' || progress.closed === memory.judged) return undefined;
    memory.judged = progress.closed;
    const standing = await this.judge.shadow(view, cycle);
    memory.watch.trial = (standing?.evidence ?? []).map((evidence) => Evidence.toJSON(evidence));
    return standing?.judgement;
  }
}
