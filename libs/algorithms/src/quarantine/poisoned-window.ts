/**
 * The control "poisoned window": poisons a record of real predictions and labels in known ways, lets `suspectDays` look at
 * each day as it closes, and counts what was found and what was held without cause.
 *
 * @example
 * const control = poisonedWindow(days, thresholds, { seed: 1 });
 * control.falseStretches; // 0
 * control.kinds.find(({ kind }) => kind === 'flipped'); // { found: 1, poisonedDaysHeld: 0.93, medianDays: 2, … }
 */
import { Random } from '../random.js';
import type { QuarantineThresholds, Stretch, WitnessDay } from './run-tests.js';
import { suspectDays } from './suspicion.js';
import { witnessOf } from './witness.js';

/** One labelled prediction. */
export interface WitnessRow {
  readonly p: number;
  readonly y: 0 | 1;
  readonly source: string;
}

/** A closed day, rows in order of entity time; `day` as in WitnessDay. */
export interface RecordedDay {
  readonly day: number;
  readonly rows: readonly WitnessRow[];
}

/** How labels are spoilt: a share of them inverted, or those of one source. */
export interface Poison {
  readonly kind: string;
  /** Share of labels that are inverted. */
  readonly flipped: number;
  /** Only this source's labels. */
  readonly source?: string;
}

export interface PoisonedKind {
  readonly kind: string;
  readonly trials: number;
  /** Share of the trials in which at least one poisoned day was set aside. */
  readonly found: number;
  /** Of the poisoned days, and of the clean days within a window of them, the share that was set aside. */
  readonly poisonedDaysHeld: number;
  readonly cleanDaysHeld: number;
  /** Poisoned days up to the first that is set aside, at the median, over the trials that found one. */
  readonly medianDays: number;
}

export interface PoisonedWindow {
  readonly days: number;
  /** Stretches that are set aside where nothing is poisoned. */
  readonly falseStretches: number;
  readonly kinds: readonly PoisonedKind[];
}

export interface PoisonedWindowOptions {
  readonly seed: string | number;
  /** Length of a poisoned stretch, days. */
  readonly length?: number;
  /** Days between the starts of trials. */
  readonly every?: number;
  readonly poisons: readonly Poison[];
}

/** Runs the control over a record of days without gaps, oldest first. */
export function poisonedWindow(
  record: readonly RecordedDay[],
  thresholds: QuarantineThresholds,
  { seed, length = thresholds.days, every = length, poisons }: PoisonedWindowOptions,
): PoisonedWindow {
  const clean = record.map(({ day, rows }) => sumsOf(day, rows));
  const falseStretches = watch(clean, thresholds).length;
  const lead = thresholds.days;
  const starts: number[] = [];
  for (let at = lead; at + length <= record.length; at += every) starts.push(at);
  return { days: record.length, falseStretches, kinds: poisons.map((poison) => kindOf(poison, starts)) };

  function kindOf(poison: Poison, from: readonly number[]): PoisonedKind {
    const totals = { found: 0, poisoned: 0, held: 0, clean: 0, cleanHeld: 0 };
    const waits: number[] = [];
    for (const start of from) {
      const random = new Random(`${seed}/${poison.kind}/${start}`);
      const days = clean.slice(start - lead, Math.min(start + length + lead, clean.length));
      for (let i = 0; i < length; i++) {
        const { day, rows } = record[start + i];
        days[lead + i] = sumsOf(day, spoil(rows, poison, random));
      }
      const stretches = watch(days, thresholds);
      const held = new Set(stretches.flatMap((stretch) => stretch.days));
      const spoilt = days.slice(lead, lead + length).map(({ day }) => day);
      const first = Math.min(
        ...stretches.filter((s) => s.days.some((day) => spoilt.includes(day))).map((s) => s.found),
      );
      if (Number.isFinite(first)) {
        totals.found++;
        waits.push(spoilt.filter((day) => day <= first).length);
      }
      totals.poisoned += spoilt.length;
      totals.held += spoilt.filter((day) => held.has(day)).length;
      totals.clean += days.length - spoilt.length;
      totals.cleanHeld += [...held].filter((day) => !spoilt.includes(day)).length;
    }
    waits.sort((a, b) => a - b);
    return {
      kind: poison.kind,
      trials: from.length,
      found: totals.found / from.length,
      poisonedDaysHeld: totals.held / totals.poisoned,
      cleanDaysHeld: totals.cleanHeld / Math.max(1, totals.clean),
      medianDays: waits.length ? waits[waits.length >> 1] : Number.NaN,
    };
  }
}

/** Days as they close, one after the other; each stretch with the day at whose closing it was found. */
function watch(days: readonly WitnessDay[], thresholds: QuarantineThresholds): (Stretch & { found: number })[] {
  const stretches: (Stretch & { found: number; days: number[] })[] = [];
  days.forEach(({ day }, i) => {
    const window = days.slice(Math.max(0, i + 1 - thresholds.days), i + 1);
    for (const { joins, days: more, kind, source, sign } of suspectDays(window, stretches, thresholds)) {
      const joined = stretches.find(({ id }) => id === joins);
      if (joined) joined.days.push(...more);
      else
        stretches.push({
          id: `${kind}/${source}/${more[0]}`,
          kind,
          source,
          sign,
          days: [...more],
          growing: true,
          found: day,
        });
    }
  });
  return stretches;
}

function sumsOf(day: number, rows: readonly WitnessRow[]): WitnessDay {
  const bySource = Map.groupBy(rows, ({ source }) => source);
  return {
    day,
    sources: [...bySource].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, own]) => witnessOf(name, own)),
  };
}

function spoil(rows: readonly WitnessRow[], { flipped, source }: Poison, random: Random): WitnessRow[] {
  return rows.map((row) => {
    const hit = random.uniform() < flipped && (source === undefined || row.source === source);
    return hit ? { ...row, y: (1 - row.y) as 0 | 1 } : row;
  });
}
