/**
 * Counting a day's features and predictions into the bins of a champion's reference: for the whole, for each slice that
 * the reference knows, and what the champion lost in each bin. Integers only, so that days add up.
 */

import {
  type BinLosses,
  binOf,
  binsOf,
  type DiagnosisReference,
  float32Decimal,
  logLossNano,
  lossMilli,
  type ReferenceHistogram,
} from '@driftloop/algorithms';
import { own } from '@driftloop/contracts';
import { unpackNumbers } from './cells.js';
import type { DayCounts } from './day-rows.js';
import type { LayoutDocument, PredictionRow } from './rows.documents.js';

export type Histograms = Readonly<Record<string, ReferenceHistogram>>;

/** What a day is counted against. */
export interface CountedReference {
  readonly version: string;
  readonly histograms: Histograms;
  readonly diagnosis?: DiagnosisReference;
}

/** One column of a layout that the reference knows, in the reference's type, and where it is counted. */
interface Column {
  readonly at: number;
  readonly name: string;
  readonly histogram: ReferenceHistogram;
  readonly whole: number[];
  readonly slices: ReadonlyMap<string, number[]>;
  readonly losses: { readonly rows: number[]; readonly loss: number[] } | undefined;
}

interface Columns {
  readonly numbers: readonly Column[];
  readonly texts: readonly Column[];
}

type Bins = Record<string, number[]>;

/** Counts by feature, and of "prediction", that other days' counts of the same reference add to. */
export class BinCounter {
  private readonly bins: Bins;
  private readonly slices: Record<string, Bins> = Object.create(null);
  /** Columns that slices go by. */
  private readonly slicing: ReadonlySet<string>;
  private readonly losses: Record<string, { rows: number[]; loss: number[] }> = Object.create(null);
  private readonly columns = new Map<string, Columns>();
  private readonly prediction: Column | undefined;
  private rows = 0;

  constructor(
    private readonly reference: CountedReference,
    private readonly layouts: ReadonlyMap<string, LayoutDocument>,
  ) {
    const { histograms, diagnosis } = reference;
    this.bins = this.blankOf(Object.keys(histograms));
    for (const [slice, features] of Object.entries(diagnosis?.slices ?? {}))
      this.slices[slice] = this.blankOf(Object.keys(features).filter((feature) => own(histograms, feature)));
    this.slicing = new Set(Object.keys(this.slices).map((slice) => slice.slice(0, slice.indexOf('='))));
    for (const feature of Object.keys(diagnosis?.losses ?? {}))
      if (Object.hasOwn(histograms, feature))
        this.losses[feature] = { rows: blank(histograms[feature]), loss: blank(histograms[feature]) };
    [this.prediction] = this.matching(['prediction'], 'numeric');
  }

  /** Counts a row; `prediction`: what the reference's version said, null where it failed; `y`: its label, if known. */
  add(row: PredictionRow, prediction: number | null, y: 0 | 1 | undefined): void {
    this.rows++;
    const columns = this.columnsOf(row.layout);
    const cells = unpackNumbers(row.numbers);
    const slices = this.slicesOf(columns, cells, row.texts);
    const loss = prediction === null || y === undefined ? undefined : lossMilli(logLossNano(prediction, y));
    if (this.prediction) count(this.prediction, prediction, slices, loss);
    for (const column of columns.numbers) count(column, cells[column.at], slices, loss);
    // an empty text is how a missing one crosses the wire
    for (const column of columns.texts) count(column, row.texts[column.at] || null, slices, loss);
  }

  counts(): DayCounts {
    return {
      version: this.reference.version,
      rows: this.rows,
      bins: JSON.stringify(this.bins),
      slices: JSON.stringify(this.slices),
      losses: JSON.stringify(this.losses),
    };
  }

  /** Names of the slices that a row belongs to. */
  private slicesOf({ numbers, texts }: Columns, cells: Float64Array, words: readonly string[]): string[] {
    if (this.slicing.size === 0) return [];
    const found: string[] = [];
    for (const { name, at } of texts) if (this.slicing.has(name)) found.push(`${name}=${words[at]}`);
    for (const { name, at } of numbers) if (this.slicing.has(name)) found.push(`${name}=${float32Decimal(cells[at])}`);
    return found;
  }

  private columnsOf(layout: string): Columns {
    const known = this.columns.get(layout);
    if (known) return known;
    const { numbers = [], texts = [] } = this.layouts.get(layout) ?? {};
    const columns = { numbers: this.matching(numbers, 'numeric'), texts: this.matching(texts, 'categorical') };
    this.columns.set(layout, columns);
    return columns;
  }

  private matching(names: readonly string[], kind: ReferenceHistogram['kind']): Column[] {
    return names.flatMap((name, at) => {
      const histogram = own(this.reference.histograms, name);
      if (histogram?.kind !== kind) return [];
      const slices = Object.entries(this.slices).flatMap(([slice, bins]) =>
        Object.hasOwn(bins, name) ? [[slice, bins[name]] as const] : [],
      );
      return [{ at, name, histogram, whole: this.bins[name], slices: new Map(slices), losses: this.losses[name] }];
    });
  }

  private blankOf(features: readonly string[]): Bins {
    return Object.fromEntries(features.map((feature) => [feature, blank(this.reference.histograms[feature])]));
  }
}

function count(
  { histogram, whole, slices, losses }: Column,
  value: number | string | null,
  names: readonly string[],
  loss: number | undefined,
): void {
  const bin = binOf(histogram, value);
  whole[bin]++;
  for (const name of names) {
    const slice = slices.get(name);
    if (slice) slice[bin]++;
  }
  if (loss === undefined || !losses) return;
  losses.rows[bin]++;
  losses.loss[bin] += loss;
}

const blank = (histogram: ReferenceHistogram): number[] => new Array(binsOf(histogram)).fill(0);

/** Counts of a day as they are read. Days that were counted before slices and losses were have none. */
export interface ReadCounts {
  readonly rows: number;
  readonly bins: Readonly<Record<string, readonly number[]>>;
  readonly slices: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  readonly losses: Readonly<Record<string, BinLosses>>;
}

export const readCounts = ({ rows, bins, slices = '{}', losses = '{}' }: DayCounts): ReadCounts => ({
  rows,
  bins: JSON.parse(bins),
  slices: JSON.parse(slices),
  losses: JSON.parse(losses),
});
