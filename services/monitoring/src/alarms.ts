/**
 * Alarms: a signal that crosses its threshold is told once, with its evidence, and again only after it has come back.
 * They diagnose; the policy alone decides what follows.
 *
 * I1  A signal is armed again when it falls below four fifths of its threshold (hysteresis).
 * I2  What is told is saved with its event before the alarm is marked as sounding: at worst told twice, with one id.
 */
import { Decision, decision, type Evidence, events } from '@driftloop/contracts';
import { type Cause, emission, Outbox } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { LoopDocuments } from './loop.documents.js';
import type { Signal } from './signals.js';
import type { ModelView } from './view.js';

@Injectable()
export class Alarms {
  constructor(
    private readonly documents: LoopDocuments,
    private readonly outbox: Outbox,
  ) {}

  /** Tells what has newly crossed; resolves to the alarms that sound now. */
  async sound(
    view: ModelView,
    signals: readonly Signal[],
    sounding: readonly string[],
    now: number,
    cause: Cause,
  ): Promise<string[]> {
    const before = new Set(sounding);
    const crossed = signals.filter(({ evidence }) => evidence.holds && !before.has(alarmOf(view, evidence)));
    for (const kind of ['drift', 'performance'] as const) {
      const news = crossed.filter((signal) => signal.kind === kind).map(({ evidence }) => evidence);
      if (news.length) await this.tell(view, kind, news, now, cause);
    }
    return signals
      .filter(({ kind }) => kind !== 'none')
      .filter(({ evidence }) => evidence.holds || (before.has(alarmOf(view, evidence)) && !hasCalmed(evidence)))
      .map(({ evidence }) => alarmOf(view, evidence))
      .sort();
  }

  private async tell(
    view: ModelView,
    kind: 'drift' | 'performance',
    evidence: Partial<Evidence>[],
    time: number,
    cause: Cause,
  ): Promise<void> {
    const { series, tenant, model, champion } = view;
    const subject = `${series}/${champion}/${evidence.map((e) => `${e.test} ${e.subject}`).join(',')}`;
    const said = decision({ kind: 'signal', outcome: kind, subject, time, reasons: evidence.map(inWords), evidence });
    if (await this.documents.signals.exists({ _id: said.id })) return;
    const signal = new this.documents.signals({
      _id: said.id,
      series,
      time,
      decision: Decision.toJSON(said),
    });
    const told = { tenant, model, champion, decision: said, movements: [] };
    const definition = kind === 'drift' ? events.driftDetected : events.performanceDegraded;
    await this.outbox.save(signal, [emission(definition, told, time)], { ...cause, tenant, id: said.id });
  }
}

/** An alarm is of one champion: another one starts quiet. */
const alarmOf = (view: ModelView, { test, subject }: Partial<Evidence>) => `${view.champion}|${test}|${subject}`;

const hasCalmed = ({ statistic = 0, threshold = 0 }: Partial<Evidence>): boolean => statistic < 0.8 * threshold;

const inWords = ({ test, subject, statistic, threshold, note }: Partial<Evidence>): string =>
  `${test} of ${subject} is ${statistic!.toPrecision(3)}, threshold ${threshold!.toPrecision(3)}${note ? ` (${note})` : ''}`;
