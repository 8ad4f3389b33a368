/** Trials: what a tick does about the rollout of an open cycle: judges its shadow, checks its canary, ends what is overdue. */
import { Evidence, Verdict } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { Canary } from './canary.js';
import { Cycles, isWithdrawn } from './cycle.js';
import { deadlineOf } from './deadlines.js';
import { Judge } from './judge.js';
import type { Judgement, Standing } from './judgement.js';
import type { CycleDocument } from './loop-rows.js';
import type { ModelMemory, Tick } from './memory.js';
import { QuarantineItems } from './quarantine-items.js';

@Injectable()
export class Trials {
  constructor(
    private readonly judge: Judge,
    private readonly canary: Canary,
    private readonly cycles: Cycles,
    private readonly quarantined: QuarantineItems,
  ) {}

  async look(memory: ModelMemory, tick: Tick, cause: Cause): Promise<void> {
    const { cycle, view } = memory;
    if (!cycle) return;
    const judgement =
      (await this.tainted(cycle, tick)) ??
      (cycle.judged.includes(cycle.stage)
        ? await this.harmMeanwhile(memory, tick)
        : await this.judgementOn(memory, tick));
    if (judgement) await this.cycles.judge(cycle, judgement, tick.now, cause);
    const overdue = tick.now >= deadlineOf(view, cycle, tick.now) && !judgement;
    if (overdue) await this.cycles.expire(cycle, await this.lacks(memory, tick), tick.now, cause);
    if (judgement || overdue) memory.cycle = await this.cycles.openOf(view.series);
  }

  /** What learned from days that are held, or was judged on them, is withdrawn: once. */
  private async tainted(cycle: CycleDocument, { now }: Tick): Promise<Judgement | undefined> {
    if (cycle.stage !== 'shadow' && cycle.stage !== 'canary') return undefined;
    const reason = await this.quarantined.taint(cycle, now);
    return reason && !isWithdrawn(cycle) ? { verdict: Verdict.ROLL_BACK, reasons: [reason], evidence: [] } : undefined;
  }

  /** A trial that has earned its word and waits for a thaw is on trial still: harm ends it. */
  private async harmMeanwhile(memory: ModelMemory, { now, replay }: Tick): Promise<Judgement | undefined> {
    const { cycle, view, progress } = memory;
    if (!cycle || !view.rollout.held) return undefined;
    if (cycle.stage === 'canary') {
      const { judgement } = await this.canary.check(view, cycle, now, replay);
      return judgement?.verdict === Verdict.ROLL_BACK ? judgement : undefined;
    }
    if (cycle.stage !== 'shadow' || progress.closed === memory.judged) return undefined;
    memory.judged = progress.closed;
    return this.judge.harmAfter(view, cycle, lastJudgement(cycle));
  }

  /** Why a trial that is overdue has earned no word. */
  private async lacks({ cycle, view }: ModelMemory, { now, replay }: Tick): Promise<Omit<Standing, 'judgement'>> {
    if (cycle?.judged.includes(cycle.stage)) return { evidence: [], lacks: ['its judgement was not acted on'] };
    if (cycle?.stage === 'canary') return this.canary.check(view, cycle, now, replay);
    if (cycle?.stage !== 'shadow') return { evidence: [], lacks: [] };
    return (await this.judge.shadow(view, cycle)) ?? { evidence: [], lacks: ['no whole day of it has closed'] };
  }

  private async judgementOn(memory: ModelMemory, { now, replay }: Tick): Promise<Judgement | undefined> {
    const { cycle, view, progress } = memory;
    if (cycle?.stage === 'canary') return (await this.canary.check(view, cycle, now, replay)).judgement;
    if (cycle?.stage !== 'shadow' || progress.closed === memory.judged) return undefined;
    memory.judged = progress.closed;
    const standing = await this.judge.shadow(view, cycle);
    memory.watch.trial = (standing?.evidence ?? []).map((evidence) => Evidence.toJSON(evidence));
    return standing?.judgement;
  }
}

/** When the judge spoke last of a cycle, epoch ms. */
const lastJudgement = ({ steps }: CycleDocument): number =>
  steps.findLast(({ decision }) => (decision as { kind?: string } | undefined)?.kind === 'judgement')?.time ?? 0;
