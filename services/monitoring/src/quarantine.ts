/**
 * The quarantine of days: at a tick, each newly closed day is looked at with those before it, and what contradicts the
 * champion and the other sources is set aside (algorithms' `suspectDays` says what). Nothing is learned from it and no
 * verdict stands on it until a person lets it in.
 *
 * I1  Looked at once a day, in order, as the day closes: the same whatever the ticks' grain. What is set aside counts from
 *     this very tick on, before anything else looks at the day: no verdict is spoken on a day that is suspect.
 * I2  The decision is told first, then kept, then marked on its days, and last the day counts as looked at: a tick done
 *     again finds the same and finishes it. Ids hang on what is set aside.
 * I3  A person's word is dated at the last tick and acted on by the next one, once, as a pause is (hold.ts). Its note is
 *     in the record alone.
 * I4  A release says that the labels are right and the champion is not: until another is champion, what looked at the
 *     same labels (all of them, or one source's) is quiet.
 */
import { createHash } from 'node:crypto';
import { type QuarantineThresholds, type Stretch, type Suspicion, suspectDays } from '@driftloop/algorithms';
import { type Decision, dayMs, decision, Evidence, events, QuarantineChanged } from '@driftloop/contracts';
import { type Cause, emission } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { isToldOf } from './coverage.js';
import { Days, dayId } from './days.documents.js';
import type { Tick } from './memory.js';
import { type QuarantineDocument, QuarantineDocuments, stateAt } from './quarantine.documents.js';
import { itemOf } from './quarantine-items.js';
import { witnessDay } from './quarantine-parts.js';
import { Told } from './told.js';
import type { ModelView } from './view.js';
import type { Progress } from './watch.js';

@Injectable()
export class Quarantine {
  constructor(
    private readonly documents: QuarantineDocuments,
    private readonly days: Days,
    private readonly told: Told,
  ) {}

  /** Acts on what people said by the tick before, and looks at what has closed; resolves to whether anything changed. */
  async look(view: ModelView, { closed }: Progress, tick: Tick, cause: Cause): Promise<boolean> {
    let changed = await this.act(view, tick, cause);
    if (closed === undefined) return changed;
    const looked = await this.documents.looked(view.series);
    if (looked === closed) return changed;
    const { days } = view.spec.quarantine;
    // The first look, and one after a long pause, need not go back further than a window can see.
    const from = Math.max((looked ?? Number.NEGATIVE_INFINITY) + dayMs, closed - 60 * dayMs);
    const first = (await this.days.from(view.series, from)).at(0)?.day ?? closed;
    for (let day = Math.max(from, first); day <= closed; day += dayMs)
      changed = (await this.lookAt(view, day, days, tick, cause)) || changed;
    await this.documents.keepLooked(view.series, closed);
    return changed;
  }

  private async lookAt(view: ModelView, day: number, days: number, { now }: Tick, cause: Cause): Promise<boolean> {
    const items = await this.documents.of(view.series);
    for (const item of items.filter(({ changed }) => changed === now)) await this.mark(item, item.days);
    const closed = await this.days.from(view.series, day - (days - 1) * dayMs);
    const window = closed
      .filter((one) => one.day <= day && isToldOf(view, one))
      .map((one) => witnessDay(one, (version) => view.promotions.has(version)));
    const found = suspectDays(window, items.map(stretchOf(now)), thresholdsOf(view, items, now));
    const heard = found.filter(({ source }) => !isQuiet(view, items, now, source));
    for (const suspicion of heard) await this.setAside(view, suspicion, items, now, cause);
    return heard.length > 0;
  }

  /** I2 */
  private async setAside(
    view: ModelView,
    suspicion: Suspicion,
    items: readonly QuarantineDocument[],
    now: number,
    cause: Cause,
  ): Promise<void> {
    const { kind, source, sign, days, over, evidence: finding } = suspicion;
    const window = { windowStart: new Date(over[0]), windowEnd: new Date(over[over.length - 1] + dayMs) };
    const evidence = Evidence.fromPartial({ ...finding, ...window });
    const reason = reasonOf(suspicion);
    const before = items.find(({ _id }) => _id === suspicion.joins);
    const blank = { reasons: [], evidence: [], days: [], rows: 0, since: now, words: [], champion: view.champion };
    const item: QuarantineDocument = {
      ...{ _id: idOf(view, suspicion), tenant: view.tenant, series: view.series, model: view.model },
      ...{ ...blank, kind, source, sign, ...before, changed: now },
    };
    item.days = [...item.days, ...days].sort((a, b) => a - b);
    item.rows += finding.rows;
    item.reasons = [...item.reasons, reason].slice(-20);
    item.evidence = [...item.evidence, Evidence.toJSON(evidence)].slice(-20);
    const subject = `${item._id}/${days.join(',')}`;
    const said = decision({
      kind: 'quarantine',
      outcome: 'held',
      subject,
      time: now,
      reasons: [reason],
      evidence: [evidence],
    });
    await this.tell(view, item, said, now, cause);
    await this.documents.keep(item);
    await this.mark(item, days);
  }

  /** I3 */
  private async act(view: ModelView, { now, previous }: Tick, cause: Cause): Promise<boolean> {
    let changed = false;
    for (const item of await this.documents.of(view.series))
      for (const [i, word] of item.words.entries()) {
        if (word.acted !== now && !(word.acted === null && word.time <= (previous ?? now))) continue;
        const reasons = [
          word.state === 'released' ? 'a person lets these days in' : 'a person confirms that they are bad',
        ];
        const subject = `${item._id}/word ${i + 1}`;
        const said = decision({ kind: 'quarantine', outcome: word.state, subject, time: now, reasons });
        await this.tell(view, item, said, now, cause);
        await this.mark(item, item.days, word.state === 'released' ? now : null);
        await this.documents.items.updateOne({ _id: item._id }, { $set: { [`words.${i}.acted`]: now } });
        changed = true;
      }
    return changed;
  }

  private tell(view: ModelView, item: QuarantineDocument, said: Decision, now: number, cause: Cause): Promise<void> {
    const { tenant, model } = view;
    const payload = QuarantineChanged.fromPartial({ tenant, model, item: itemOf(item), decision: said });
    return this.told.tell(view, said, [emission(events.quarantineChanged, payload, now)], cause);
  }

  /** Marks days as held, or as let in at a tick. */
  private async mark(
    { _id, source, series }: QuarantineDocument,
    days: readonly number[],
    until: number | null = null,
  ) {
    for (const day of days) {
      const found = await this.days.find(series, day);
      if (!found) continue;
      const others = (found.held ?? []).filter(({ item }) => item !== _id);
      const held = [...others, { item: _id, source, until }].sort((a, b) => (a.item < b.item ? -1 : 1));
      const change = { held, ...(until !== null && { lastKnown: Math.max(found.lastKnown, until) }) };
      await this.days.days.updateOne({ _id: dayId(series, day) }, { $set: change });
    }
  }
}

const stretchOf =
  (now: number) =>
  (item: QuarantineDocument): Stretch => {
    const { _id: id, kind, source, sign, days } = item;
    return { id, kind, source, sign, days, growing: stateAt(item, now) !== 'released' };
  };

/** I4 */
function isQuiet(view: ModelView, items: readonly QuarantineDocument[], now: number, source: string): boolean {
  const same = items.filter((item) => item.source === source && item.champion === view.champion);
  return same.some((item) => stateAt(item, now) === 'released');
}

function thresholdsOf(view: ModelView, items: readonly QuarantineDocument[], now: number): QuarantineThresholds {
  const declared = view.spec.quarantine;
  const never = { aucBelow: 0, calibrationGapAbove: Number.POSITIVE_INFINITY };
  return isQuiet(view, items, now, '') ? { ...declared, ...never } : declared;
}

function idOf({ series, champion }: ModelView, { kind, source, days }: Suspicion): string {
  const named = JSON.stringify([series, champion, kind, source, days[0]]);
  return `monitoring/${createHash('sha256').update(named).digest('hex').slice(0, 24)}`;
}

function reasonOf({ source, days, evidence }: Suspicion): string {
  const { test, statistic, threshold, note } = evidence;
  const what = `${days.length} day${days.length > 1 ? 's' : ''}${source && ` of ${source}`}`;
  const against = `${test.replaceAll('_', ' ')} ${statistic.toPrecision(3)} against ${threshold.toPrecision(3)}`;
  return `${what}: ${against}${note ? ` (${note})` : ''}`;
}
