/**
 * The policy: at each check, should a cycle open? The rule is algorithms' `decideTrigger`; here is what it is asked with.
 *
 * I1  A champion that no training made (the constant prior) is replaced as soon as there is enough to learn from: a
 *     bootstrap, looked for at every tick, with no declared duration.
 * I2  A retry against the same champion needs as many fresh labels since the last attempt as a first one: the same
 *     rows are not gated twice.
 */
import { createHash } from 'node:crypto';
import { decideTrigger, type TriggerCondition } from '@driftloop/algorithms';
import { type Decision, dayMs, decision, durationMs, type Evidence, type QuarantineWindow } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { failuresOf } from './breaker.js';
import { Days } from './days.documents.js';
import { LoopDocuments } from './loop.documents.js';
import type { CycleDocument, SignalDocument } from './loop-rows.js';
import { QuarantineItems } from './quarantine-items.js';
import type { Measured } from './signals.js';
import { leading } from './stability.js';
import type { ModelView } from './view.js';

/** A cycle to be opened. */
export interface Opening {
  cycleId: string;
  number: number;
  attempt: number;
  purpose: 'bootstrap' | 'retrain';
  signal: string;
  due: number;
  decision: Decision;
  /** What is held in quarantine: nothing is learned from it. */
  quarantined: QuarantineWindow[];
}

@Injectable()
export class Policy {
  constructor(
    private readonly documents: LoopDocuments,
    private readonly days: Days,
    private readonly quarantined: QuarantineItems,
  ) {}

  /** Whether the check at `now` is due, having last checked at `checked`: the grid goes by the closing of cohorts. */
  isDue(view: ModelView, checked: number | null, now: number): boolean {
    const every = durationMs(view.spec.retraining.check);
    const [hours, minutes] = view.spec.cohort.startsAt.split(':').map(Number);
    const phase = (hours * 60 + minutes) * 60_000 + view.timing.closing;
    const grid = Math.floor((now - phase) / every) * every + phase;
    return checked === null || grid > checked;
  }

  /** What opens at `now`, if anything. */
  async decide(view: ModelView, measured: Measured, now: number): Promise<Opening | undefined> {
    const cycles = await this.documents.cyclesOf(view.series);
    const said = await this.documents.signalsOf(view.series);
    const attempts = cycles.filter((cycle) => cycle.champion === view.champion);
    const bootstrap = view.training === undefined;
    const { retraining, training } = view.spec;
    const verdict = decideTrigger(
      {
        ...measured.trigger,
        ...guards(view, cycles, said, now),
        freshLabels: await this.freshFor(view, attempts.at(-1), measured.fresh),
      },
      {
        any: bootstrap ? [{ growth: { atLeast: retraining.minFreshLabels } }] : (retraining.any as TriggerCondition[]),
        cooldownDays: durationMs(retraining.cooldown) / dayMs,
        minFreshLabels: retraining.minFreshLabels,
        dailyBudget: retraining.dailyBudget,
        breakerAfter: retraining.breakerAfter,
      },
    );
    if (!verdict.retrain || verdict.signal === null) return undefined;
    const signal = bootstrap ? 'bootstrap' : verdict.signal;
    const attempt = attempts.length + 1;
    const cycleId = cycleIdOf(view, signal, measured.window, attempt);
    const purpose = bootstrap ? 'bootstrap' : 'retrain';
    return {
      cycleId,
      number: cycles.length + 1,
      attempt,
      purpose,
      signal,
      quarantined: await this.quarantined.windows(view.series, now),
      // A first training takes no event time, but its result is dated after the tick that asked for it.
      due: now + (bootstrap ? 1 : durationMs(training.duration)),
      decision: decision({
        kind: 'cycle.opened',
        outcome: purpose,
        subject: cycleId,
        time: now,
        reasons: bootstrap
          ? [`${measured.fresh} labels are known and the champion has learned from none`]
          : verdict.reasons,
        evidence: [
          ...verdict.evidence.map((e) => ({ ...e, ...(bootstrap && { test: 'bootstrap' }) })),
          ...leading(view, measured.movements),
        ].map((e) => dated(e, measured)),
      }),
    };
  }

  /** I2 */
  private async freshFor(view: ModelView, last: CycleDocument | undefined, fresh: number): Promise<number> {
    return last ? Math.min(fresh, await this.days.labelsKnownAfter(view.series, last.cutoff)) : fresh;
  }
}

const dated = (evidence: Partial<Evidence>, { window }: Measured): Partial<Evidence> => ({
  ...evidence,
  windowStart: new Date(window[0]),
  windowEnd: new Date(window[1]),
});

function cycleIdOf(view: ModelView, signal: string, window: readonly [number, number], attempt: number): string {
  const named = [view.tenant, view.model, view.champion, signal, ...window, attempt];
  return createHash('sha256').update(JSON.stringify(named)).digest('hex').slice(0, 32);
}

/** What holds a trigger back. */
function guards(view: ModelView, cycles: readonly CycleDocument[], said: readonly SignalDocument[], now: number) {
  const last = cycles.at(-1);
  const since = last?.opened ?? view.training?.cutoff;
  return {
    cycleOpen: cycles.some((cycle) => cycle.stage !== 'closed'),
    cyclesOpenedToday: cycles.filter((cycle) => cycle.opened > now - dayMs).length,
    failedCycles: failuresOf(view, cycles, said).length,
    daysSinceLastCycle: since === undefined ? null : (now - since) / dayMs,
  };
}
