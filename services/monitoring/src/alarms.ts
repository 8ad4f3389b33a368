/**
 * Alarms: a signal that crosses its threshold is told once, with its evidence, and again only after it has come back.
 * They diagnose; the policy alone decides what follows.
 *
 * I1  A signal is armed again when it falls below four fifths of its threshold (hysteresis).
 * I2  What has moved is told with it, the strongest first (with performance: what has most of the loss), and since when.
 * I3  What is told is saved with its event before the alarm is marked as sounding: at worst told twice, with one id.
 */
import { Decision, decision, type Evidence, events, type Movement } from '@driftloop/contracts';
import { type Cause, emission, Outbox } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import type { DayDocument } from './day-rows.js';
import { Days } from './days.documents.js';
import { LoopDocuments } from './loop.documents.js';
import type { Measured } from './signals.js';
import type { ModelView } from './view.js';
import { dated, datedDays, lossChangedAt } from './when-changed.js';

/** Movements that are told with an alarm, at most. */
const toldMovements = 50;

@Injectable()
export class Alarms {
  constructor(
    private readonly documents: LoopDocuments,
    private readonly days: Days,
    private readonly outbox: Outbox,
  ) {}

  /** Tells what has newly crossed; resolves to the alarms that sound now. */
  async sound(
    view: ModelView,
    { signals, movements }: Pick<Measured, 'signals' | 'movements'>,
    sounding: readonly string[],
    now: number,
    cause: Cause,
  ): Promise<string[]> {
    const before = new Set(sounding);
    const crossed = signals.filter(({ evidence }) => evidence.holds && !before.has(alarmOf(view, evidence)));
    for (const kind of ['drift', 'performance'] as const) {
      const news = crossed.filter((signal) => signal.kind === kind).map(({ evidence }) => evidence);
      if (news.length) await this.tell(view, kind, news, movements, now, cause);
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
    crossed: Partial<Evidence>[],
    movements: readonly Movement[],
    time: number,
    cause: Cause,
  ): Promise<void> {
    const { series, tenant, model, champion } = view;
    const days = await this.days.lastWithDetails(series, datedDays);
    const evidence = crossed.map((e) => (isOfLoss(e) ? since(e, lossChangedAt(view, days)) : e));
    const subject = `${series}/${champion}/${evidence.map((e) => `${e.test} ${e.subject}`).join(',')}`;
    const said = decision({ kind: 'signal', outcome: kind, subject, time, reasons: evidence.map(inWords), evidence });
    if (await this.documents.signals.exists({ _id: said.id })) return;
    const signal = new this.documents.signals({
      _id: said.id,
      series,
      time,
      decision: Decision.toJSON(said),
    });
    const payload = { tenant, model, champion, decision: said, movements: told(view, kind, movements, days) };
    const definition = kind === 'drift' ? events.driftDetected : events.performanceDegraded;
    await this.outbox.save(signal, [emission(definition, payload, time)], { ...cause, tenant, id: said.id });
  }
}

/** I2 */
function told(view: ModelView, kind: 'drift' | 'performance', all: readonly Movement[], days: readonly DayDocument[]) {
  const moved = all.filter(({ moved }) => moved);
  const order = kind === 'drift' ? moved : [...moved].sort((a, b) => b.lossShare - a.lossShare);
  return dated(view, order.slice(0, toldMovements), days);
}

const isOfLoss = ({ test }: Partial<Evidence>): boolean => test === 'performance' || test === 'calibration_gap';

const since = (evidence: Partial<Evidence>, at: number | undefined): Partial<Evidence> =>
  at === undefined
    ? evidence
    : { ...evidence, note: `${evidence.note}; daily loss changed on ${new Date(at).toISOString().slice(0, 10)}` };

/** An alarm is of one champion: another one starts quiet. */
const alarmOf = (view: ModelView, { test, subject }: Partial<Evidence>) => `${view.champion}|${test}|${subject}`;

const hasCalmed = ({ statistic = 0, threshold = 0 }: Partial<Evidence>): boolean => statistic < 0.8 * threshold;

const inWords = ({ test, subject, statistic, threshold, note }: Partial<Evidence>): string =>
  `${test} of ${subject} is ${statistic!.toPrecision(3)}, threshold ${threshold!.toPrecision(3)}${note ? ` (${note})` : ''}`;
