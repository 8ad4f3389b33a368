/** Counting a day's features and predictions into the bins of a champion's reference, for PSI over a window of days. */
import { binOf, binsOf, type ReferenceHistogram } from '@driftloop/algorithms';
import { unpackNumbers } from './cells.js';
import type { DayCounts } from './days.documents.js';
import type { LayoutDocument, PredictionRow } from './rows.documents.js';

export type Histograms = Readonly<Record<string, ReferenceHistogram>>;

/** One column of a layout that the reference knows, in the reference's type. */
interface Column {
  readonly at: number;
  readonly histogram: ReferenceHistogram;
  readonly counts: number[];
}

interface Columns {
  readonly numbers: readonly Column[];
  readonly texts: readonly Column[];
}

/** Integer counts by feature, and of "prediction", that other days' counts of the same reference add to. */
export class BinCounter {
  private readonly bins: Record<string, number[]> = {};
  private readonly columns = new Map<string, Columns>();
  private rows = 0;

  constructor(
    private readonly version: string,
    private readonly histograms: Histograms,
    private readonly layouts: ReadonlyMap<string, LayoutDocument>,
  ) {
    for (const [feature, histogram] of Object.entries(histograms)) this.bins[feature] = blank(binsOf(histogram));
  }

  /** Counts a row; `prediction`: what the reference's version said, null where it failed. */
  add(row: PredictionRow, prediction: number | null): void {
    this.rows++;
    const { prediction: histogram } = this.histograms;
    if (histogram?.kind === 'numeric') this.bins.prediction[binOf(histogram, prediction)]++;
    const { numbers, texts } = this.columnsOf(row.layout);
    const cells = unpackNumbers(row.numbers);
    for (const { at, histogram, counts } of numbers) counts[binOf(histogram, cells[at])]++;
    // an empty text is how a missing one crosses the wire
    for (const { at, histogram, counts } of texts) counts[binOf(histogram, row.texts[at] || null)]++;
  }

  counts(): DayCounts {
    return { version: this.version, rows: this.rows, bins: JSON.stringify(this.bins) };
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
      const histogram = this.histograms[name];
      return histogram?.kind === kind ? [{ at, histogram, counts: this.bins[name] }] : [];
    });
  }
}

const blank = (bins: number): number[] => new Array(bins).fill(0);
