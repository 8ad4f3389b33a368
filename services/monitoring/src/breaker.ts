/**
 * The breaker: after so many cycles without promotion it opens, no cycle opens any more, and a person is called. It closes
 * when a person lets the loop go on, when a version is promoted (by hand: no cycle runs), or when the spec is changed.
 *
 * I1  Whether it is open is computed anew from cycles, promotions and what people said; only what was told of it is kept.
 * I2  It opens at the time at which the last of those cycles was closed, so that it is told once, however often it is looked at.
 */
import { Decision, decision, events, LoopHeld } from '@driftloop/contracts';
import { type Cause, emission } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { LoopDocuments } from './loop.documents.js';
import type { CycleDocument, SignalDocument } from './loop-rows.js';
import { Told } from './told.js';
import type { ModelView } from './view.js';

const failed: readonly string[] = ['refused', 'rolled_back', 'failed', 'expired'];

@Injectable()
export class Breaker {
  constructor(
    private readonly documents: LoopDocuments,
    private readonly told: Told,
  ) {}

  /** Tells that the breaker has opened, or closed. */
  async look(view: ModelView, now: number, cause: Cause): Promise<void> {
    const { series } = view;
    const cycles = await this.documents.cyclesOf(series);
    const said = await this.documents.signalsOf(series);
    const failures = failuresOf(view, cycles, said);
    const { breakerAfter } = view.spec.retraining;
    const present = lastOf(said, 'breaker');
    if (failures.length >= breakerAfter) {
      const last = failures[breakerAfter - 1];
      const reasons = [
        `${breakerAfter} cycles in a row without promotion, the last ${last.outcome.replace('_', ' ')}; a person must look, and resume, promote or change the spec`,
      ];
      await this.tell(view, true, last._id, last.closed ?? now, reasons, cause);
    } else if (present?.outcome === 'opened') {
      await this.tell(
        view,
        false,
        series,
        now,
        ['a person resumed, a version was promoted, or the spec changed'],
        cause,
      );
    }
  }

  private async tell(view: ModelView, paused: boolean, subject: string, time: number, reasons: string[], cause: Cause) {
    const outcome = paused ? 'opened' : 'closed';
    const said = decision({ kind: 'breaker', outcome, subject, time, reasons });
    const { tenant, model } = view;
    const held = { tenant, model, paused, note: reasons[0], eventTime: new Date(time), by: 'breaker', decision: said };
    await this.told.tell(view, said, [emission(events.loopHeld, LoopHeld.fromPartial(held), time)], cause);
  }
}

/** Cycles without promotion since the last promotion, the last time that a person resumed, and the last change of the spec. */
export function failuresOf(
  view: ModelView,
  cycles: readonly CycleDocument[],
  said: readonly SignalDocument[],
): CycleDocument[] {
  const promoted = [...view.promotions.values()].map((promotion) => promotion.time);
  const since = Math.max(
    ...promoted,
    lastOf(said, 'hold', 'resumed')?.eventTime?.getTime() ?? Number.NEGATIVE_INFINITY,
  );
  return cycles.filter(
    ({ outcome, opened, specRevision }) =>
      failed.includes(outcome) && opened > since && specRevision === view.specRevision,
  );
}

/** Why nobody retrains, in words; undefined while the breaker is closed. */
export function attentionOf(
  view: ModelView,
  cycles: readonly CycleDocument[],
  said: readonly SignalDocument[],
): string | undefined {
  const { breakerAfter } = view.spec.retraining;
  const failures = failuresOf(view, cycles, said);
  if (failures.length < breakerAfter) return undefined;
  return `the breaker is open since ${new Date(failures[breakerAfter - 1].closed!).toISOString()}: ${breakerAfter} cycles in a row without promotion; look at them, then resume, promote a version, or change the spec`;
}

/** The newest decision of a kind, and of an outcome where one is named. */
function lastOf(said: readonly SignalDocument[], kind: string, outcome?: string): Decision | undefined {
  return said
    .map((signal) => Decision.fromJSON(signal.decision))
    .findLast((one) => one.kind === kind && (!outcome || one.outcome === outcome));
}
