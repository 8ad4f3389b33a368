/**
 * The watch over cohorts: closes each day once its labels are due, and lets its rows go once it is censored.
 *
 * I1  A day is closed once, from the labels known at its closing time, however late the tick comes.
 * I2  Days close in order and without holes, so that a judge sees time pass; only a stretch of more than 60 idle days
 *     is skipped.
 * I3  A prediction that comes after its day was closed is counted with the day, and in no figure.
 * I4  No more than one day's rows are in memory, and no more rows are kept than the censoring time spans.
 */
import { cohortStart, dayMs } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { type ClosingDay, sumDay } from './close-day.js';
import type { DayDocument } from './day-rows.js';
import { Days, dayId } from './days.documents.js';
import { partsOf } from './quarantine-parts.js';
import { type LabelRow, Rows } from './rows.documents.js';
import { truthAt } from './truth.js';
import type { ModelView } from './view.js';

const longestIdle = 60;

/** How far the days of a model have come: starts of the newest closed and the newest censored day, epoch ms. */
export interface Progress {
  closed: number | undefined;
  censored: number | undefined;
}

@Injectable()
export class Watch {
  constructor(
    private readonly rows: Rows,
    private readonly days: Days,
  ) {}

  /** Where an earlier process stopped; finishes the deletion that it may have been in. */
  async resume(view: ModelView): Promise<Progress> {
    const last = (await this.days.last(view.series, 1)).at(-1);
    const half = await this.days.days.find({ series: view.series, rowsLeft: true }).lean<DayDocument[]>();
    const pending = half.filter((day) => day.censored !== null);
    for (const day of pending) await this.letGo(view, day);
    const waiting = half.filter((day) => day.censored === null).map((day) => day.day);
    const censored = waiting.length ? Math.min(...waiting) - dayMs : last?.day;
    return { closed: last?.day, censored };
  }

  /** Closes every day that is due at `now`; resolves to how many. */
  async close(view: ModelView, progress: Progress, now: number): Promise<number> {
    let day = await this.nextDay(view, progress, now);
    let closed = 0;
    while (day !== undefined && day + view.timing.closing <= now) {
      await this.closeDay(view, day);
      progress.closed = day;
      progress.censored ??= day - dayMs;
      day += dayMs;
      closed++;
    }
    return closed;
  }

  private async nextDay(view: ModelView, { closed }: Progress, now: number): Promise<number | undefined> {
    const { closing } = view.timing;
    if (closed !== undefined && closed + (longestIdle + 1) * dayMs + closing > now) return closed + dayMs;
    const from = closed === undefined ? Number.MIN_SAFE_INTEGER : closed + dayMs;
    const earliest = await this.rows.earliest(view.series, view.labels, from);
    if (earliest !== undefined) return cohortStart(view.whole, earliest);
    return closed === undefined ? undefined : cohortStart(view.whole, now - closing) - longestIdle * dayMs;
  }

  private async closeDay(view: ModelView, day: number): Promise<void> {
    const closedAt = day + view.timing.closing;
    const rows = await this.rows.predictionsBetween(view.series, day, day + dayMs);
    const { lead } = view.timing;
    const truth = truthAt(await this.rows.labelsBetween(view.labels, day, day + dayMs), closedAt, lead);
    const layouts = await this.rows.layoutsById([...new Set(rows.map((row) => row.layout))]);
    const reference = view.training;
    const closing: ClosingDay = {
      rows,
      truth,
      day,
      rolloutAt: (time) => view.rolloutAt(time),
      ...(reference && { reference }),
      layouts: new Map(layouts.map((layout) => [layout._id, layout])),
    };
    await this.days.keep({
      _id: dayId(view.series, day),
      series: view.series,
      day,
      closedAt,
      predictions: rows.length,
      labels: truth.values.size,
      known: truth.known,
      lastKnown: truth.lastKnown,
      knownOf: truth.knownOf,
      censored: null,
      rowsLeft: true,
      absorbedAt: null,
      ...sumDay(closing),
      parts: partsOf(closing),
    });
  }

  /** Ends the wait for labels of every closed day that is due at `now`. */
  async censor(view: ModelView, progress: Progress, now: number): Promise<void> {
    if (progress.closed === undefined || progress.censored === undefined) return;
    for (let day = progress.censored + dayMs; day <= progress.closed; day += dayMs) {
      if (day + view.timing.censoring > now) return;
      await this.absorbLate(view, day, now);
      await this.censorDay(view, day);
      progress.censored = day;
    }
  }

  /** Labels between closing and censoring enter training, so that growth counts them; a verdict never does. */
  private async censorDay(view: ModelView, day: number): Promise<void> {
    const found = await this.days.find(view.series, day);
    if (!found) return;
    const { censoring, lead } = view.timing;
    const truth = truthAt(await this.rows.labelsBetween(view.labels, day, day + dayMs), day + censoring, lead);
    const censored = found.awaited.filter((entity) => !truth.values.has(entity)).length;
    const { known, lastKnown, knownOf } = truth;
    const asked = await this.rows.countPredictions(view.series, day, day + dayMs);
    const late = Math.max(0, asked - found.predictions);
    const counted = { ...found, late, censored, awaited: [], labels: truth.values.size, known, lastKnown, knownOf };
    await this.days.keep(counted);
    await this.letGo(view, counted);
  }

  private async letGo(view: ModelView, day: DayDocument): Promise<void> {
    await this.rows.deleteBefore(view.series, view.labels, day.day + dayMs);
    await this.days.keep({ ...day, rowsLeft: false });
  }

  /** Rows of days that were censored before they came: labels (a backfill) count for growth; then they are let go. */
  private async absorbLate(view: ModelView, before: number, now: number): Promise<void> {
    const late = await this.rows.labelsBetween(view.labels, Number.MIN_SAFE_INTEGER, before);
    const tooLate = await this.rows.predictionsBetween(view.series, Number.MIN_SAFE_INTEGER, before);
    const dayOf = (row: { entityTime: number }) => cohortStart(view.whole, row.entityTime);
    const byDay = Map.groupBy(late, dayOf);
    const asked = Map.groupBy(tooLate, dayOf);
    for (const day of new Set([...byDay.keys(), ...asked.keys()]))
      await this.addLate(view, day, byDay.get(day) ?? [], asked.get(day)?.length ?? 0, now);
    if (late.length || tooLate.length) await this.rows.deleteBefore(view.series, view.labels, before);
  }

  private async addLate(view: ModelView, day: number, late: LabelRow[], asked: number, now: number): Promise<void> {
    const found = (await this.days.find(view.series, day)) ?? emptyDay(view, day);
    // The mark makes it once, should the process die before the rows are deleted.
    if (found.absorbedAt === now) return;
    // Not as known at `now`: the rows go with this, and what is known a moment later would be lost.
    const truth = truthAt(late, Number.POSITIVE_INFINITY, view.timing.lead);
    const known = [...found.known, ...truth.known];
    const knownOf = [...(found.knownOf ?? []), ...truth.knownOf];
    const labels = found.labels + truth.values.size;
    const lastKnown = Math.max(found.lastKnown, truth.lastKnown);
    const tooLate = (found.late ?? 0) + asked;
    await this.days.keep({ ...found, known, knownOf, labels, lastKnown, late: tooLate, absorbedAt: now });
  }
}

/** A day older than the first that was watched. */
const emptyDay = ({ series, timing }: ModelView, day: number): DayDocument => ({
  _id: dayId(series, day),
  series,
  day,
  closedAt: day + timing.closing,
  predictions: 0,
  labelled: 0,
  unlabelled: 0,
  labels: 0,
  known: [],
  lastKnown: 0,
  awaited: [],
  censored: 0,
  rowsLeft: false,
  absorbedAt: null,
  versions: [],
  pairs: [],
  counts: null,
});
