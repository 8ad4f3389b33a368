/**
 * Counting a day's features and predictions into the bins of a champion's reference: for the whole, for each slice that
 * the reference knows, and what the champion lost in each bin. Integers only, so that days add up.
 */
import {
  type BinLosses,
  binOf,
  binsOf,
  type DiagnosisReference,
  logLossNano,
  lossMilli,
  type ReferenceHistogram,
} from '@driftloop/algorithms';
import { unpackNumbers } from './cells.js';
import type { DayCounts } from './days.documents.js';
import type { LayoutDocument, PredictionRow } from './rows.documents.js';

export type Histograms = Readonly<Record<string, ReferenceHistogram>>;

/** What a day is counted against. */
export interface CountedReference {
  readonly version: string;
  readonly histograms: Histograms;
  readonly diagnosis?: DiagnosisReference;
}

/** One column of a layout that the reference knows, in the reference's type. */
interface Column {
  readonly at: number;
  readonly name: string;
  readonly histogram: ReferenceHistogram;
}

interface Columns {
  readonly numbers: readonly Column[];
  readonly texts: readonly Column[];
}

type Bins = Record<string, number[]>;

/** Counts by feature, and of "prediction", that other days' counts of the same reference add to. */
export class BinCounter {
  private readonly bins: Bins;
  private readonly slices: Record<string, Bins> = {};
  /** Columns that slices go by. */
  private readonly slicing: ReadonlySet<string>;
  private readonly losses: Record<string, { rows: number[]; loss: number[] }> = {};
  private readonly columns = new Map<string, Columns>();
  private rows = 0;

  constructor(
    private readonly reference: CountedReference,
    private readonly layouts: ReadonlyMap<string, LayoutDocument>,
  ) {
    const { histograms, diagnosis } = reference;
    this.bins = this.blankOf(Object.keys(histograms));
    for (const [slice, features] of Object.entries(diagnosis?.slices ?? {}))
      this.slices[slice] = this.blankOf(Object.keys(features).filter((feature) => histograms[feature]));
    this.slicing = new Set(Object.keys(this.slices).map((slice) => slice.slice(0, slice.indexOf('='))));
    for (const feature of Object.keys(diagnosis?.losses ?? {}))
      if (histograms[feature])
        this.losses[feature] = { rows: blank(histograms[feature]), loss: blank(histograms[feature]) };
  }

  /** Counts a row; `prediction`: what the reference's version said, null where it failed; `y`: its label, if known. */
  add(row: PredictionRow, prediction: number | null, y: 0 | 1 | undefined): void {
    this.rows++;
    const columns = this.columnsOf(row.layout);
    const cells = unpackNumbers(row.numbers);
    const slices = this.slicesOf(columns, cells, row.texts);
    const loss = prediction === null || y === undefined ? undefined : lossMilli(logLossNano(prediction, y));
    const { prediction: histogram } = this.reference.histograms;
    if (histogram?.kind === 'numeric') this.count('prediction', binOf(histogram, prediction), slices, loss);
    for (const { at, name, histogram } of columns.numbers) this.count(name, binOf(histogram, cells[at]), slices, loss);
    // an empty text is how a missing one crosses the wire
    for (const { at, name, histogram } of columns.texts)
      this.count(name, binOf(histogram, row.texts[at] || null), slices, loss);
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

  private count(feature: string, bin: number, slices: readonly Bins[], loss: number | undefined): void {
    this.bins[feature][bin]++;
    for (const slice of slices) if (slice[feature]) slice[feature][bin]++;
    const losses = this.losses[feature];
    if (loss === undefined || !losses) return;
    losses.rows[bin]++;
    losses.loss[bin] += loss;
  }

  /** The slices that a row belongs to. */
  private slicesOf({ numbers, texts }: Columns, cells: Float64Array, words: readonly string[]): Bins[] {
    if (this.slicing.size === 0) return [];
    const values = [
      ...texts.map(({ name, at }) => [name, words[at]] as const),
      ...numbers.map(({ name, at }) => [name, cells[at]] as const),
    ];
    return values.flatMap(([name, value]): Bins[] => {
      const slice = this.slicing.has(name) ? this.slices[`${name}=${value}`] : undefined;
      return slice ? [slice] : [];
    });
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
      const histogram = this.reference.histograms[name];
      return histogram?.kind === kind ? [{ at, name, histogram }] : [];
    });
  }

  private blankOf(features: readonly string[]): Bins {
    return Object.fromEntries(features.map((feature) => [feature, blank(this.reference.histograms[feature])]));
  }
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
