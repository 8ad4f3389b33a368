/** The window features over one source with one `by`: a series of facts for each key. */
import { contribute, lanesOf, units } from './measure.js';
import type { WindowGroup, WindowOutput } from './plan.js';
import { type Fact, Series } from './series.js';
import type { Cell, HeldRow } from './source-rows.js';

const everything = '';

export class WindowIndex {
  private readonly series = new Map<string, Series>();
  private readonly cellOf: (number | undefined)[];
  private batch = new Map<string, Fact[]>();
  private readonly lows: Int32Array;

  /** `key` is the position of `by` among a row's keys; -1 without one. */
  constructor(
    readonly group: WindowGroup,
    private readonly key: number,
    columns: readonly string[],
  ) {
    this.cellOf = group.measures.map((m) => (m.column === undefined ? undefined : columns.indexOf(m.column)));
    this.lows = new Int32Array(group.windowsMs.length);
  }

  /** Counts a row from its known-at on; takes effect with `flush`. A row without the attribute has no key to count in. */
  add(row: HeldRow): void {
    const key = this.keyOf(row);
    if (key === undefined) return;
    const facts = this.batch.get(key);
    if (facts) facts.push(this.factOf(row));
    else this.batch.set(key, [this.factOf(row)]);
  }

  flush(): void {
    for (const [key, facts] of this.batch) this.seriesOf(key).add(facts);
    this.batch = new Map();
  }

  /** Takes a flushed row back (its attribute has changed). */
  remove(row: HeldRow): void {
    const key = this.keyOf(row);
    if (key !== undefined) this.series.get(key)?.remove(this.factOf(row));
  }

  /** From `at` on, a newer revision counts instead of the row. */
  retract(row: HeldRow, at: number): void {
    const key = this.keyOf(row);
    if (key !== undefined) this.seriesOf(key).retract({ ...this.factOf(row), at });
  }

  restore(row: HeldRow, at: number): void {
    const key = this.keyOf(row);
    if (key !== undefined) this.series.get(key)?.restore({ ...this.factOf(row), at });
  }

  /** Writes the group's features as of t. Without the question's attribute all of them are missing. */
  answer(t: number, attribute: string | undefined, numbers: Float64Array): void {
    const { windowsMs, outputs } = this.group;
    const key = this.group.by === undefined ? everything : attribute;
    const series = key === undefined ? undefined : this.series.get(key);
    if (!series) {
      for (const { slot, aggregate } of outputs)
        numbers[slot] = aggregate === 'count' && key !== undefined ? 0 : Number.NaN;
      return;
    }
    const high = series.countAt(t);
    for (let w = 0; w < windowsMs.length; w++) this.lows[w] = series.countAt(t - windowsMs[w]);
    for (const { slot, window, against, measure, aggregate } of outputs) {
      const value = this.aggregateOf(series, t, high, window, measure, aggregate);
      numbers[slot] =
        against === undefined ? value : value - this.aggregateOf(series, t, high, against, measure, aggregate);
    }
  }

  trim(horizon: number): void {
    for (const [key, series] of this.series) {
      series.trim(horizon);
      if (!series.size) this.series.delete(key);
    }
  }

  private aggregateOf(
    series: Series,
    t: number,
    high: number,
    window: number,
    measure: number,
    aggregate: WindowOutput['aggregate'],
  ): number {
    const low = this.lows[window];
    const from = t - this.group.windowsMs[window];
    const lane = measure * lanesOf;
    const count = series.sum(lane, low, high, from, t);
    if (aggregate === 'count') return count;
    let sum = 0;
    for (let digit = 0; digit < units.length; digit++)
      sum += series.sum(lane + 1 + digit, low, high, from, t) * units[digit];
    return count > 0 ? sum / count : Number.NaN;
  }

  private keyOf(row: HeldRow): string | undefined {
    return this.key < 0 ? everything : row.keys[this.key];
  }

  private seriesOf(key: string): Series {
    let series = this.series.get(key);
    if (!series) {
      series = new Series(this.group.measures.length * lanesOf);
      this.series.set(key, series);
    }
    return series;
  }

  private factOf(row: HeldRow): Fact {
    const lanes = new Float64Array(this.group.measures.length * lanesOf);
    this.group.measures.forEach((measure, m) => {
      const cell = this.cellOf[m];
      contribute(measure, cell === undefined ? undefined : (row.cells[cell] as Cell & number), lanes, m * lanesOf);
    });
    return { time: row.knownAt, lanes };
  }
}
