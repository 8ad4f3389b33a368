/**
 * A model's features as of any moment, in memory: rows go in as they become known, in any order; questions about the
 * present or the recent past come out in microseconds. The offline join (training/) answers the same from the durable
 * rows; feature-parity.spec.ts holds the two together.
 *
 * I1  The state is a function of the set of rows, not of their order or batches.
 * I2  A row counts under the attribute that its entity's request row had when the row became known.
 * I3  Nothing known after the question's time enters its answer.
 */
import { own } from '@driftloop/contracts';
import { type Attribute, attributeOf, type Inputs, keyOf } from './attributes.js';
import { LatestIndex } from './latest-index.js';
import { type Due, OverdueIndex } from './overdue-index.js';
import type { ViewPlan } from './plan.js';
import { sortRows } from './sorted-rows.js';
import { type HeldRow, type Row, SourceRows } from './source-rows.js';
import { WindowIndex } from './window-index.js';

/** What is asked: the features of an entity as of a time (epoch ms), with the inputs that the request brings. */
export interface Question {
  readonly entityId: string;
  readonly time: number;
  readonly inputs: Inputs;
}

export interface Answer {
  /** In the order of the plan's numbers; NaN is missing. */
  readonly numbers: Float64Array;
  /** In the order of the plan's texts; empty is missing. */
  readonly texts: string[];
  readonly entityTime: number | undefined;
  /** Neither the inputs nor the store know the entity. */
  readonly unknownEntity: boolean;
}

export class FeatureView {
  /** By source: rows known before it have left memory (epoch ms). */
  private readonly horizons = new Map<string, number>();
  private readonly rows = new Map<string, SourceRows>();
  private readonly keyed = new Set<string>();
  private readonly keys: Attribute[];
  private readonly inputs: { slot: number; kind: 'number' | 'text'; of: Attribute }[];
  private readonly windows: { index: WindowIndex; key: number }[];
  private readonly latest: LatestIndex[];
  private readonly overdue: { index: OverdueIndex; key: number }[];

  constructor(readonly plan: ViewPlan) {
    for (const [name, columns] of plan.sources) this.rows.set(name, new SourceRows(columns));
    const request = this.rowsOf(plan.requestSource);
    const attributes = [...new Set([...plan.windows, ...plan.overdue].flatMap(({ by }) => by ?? []))];
    this.keys = attributes.map((name) => attributeOf(plan, request, name));
    this.inputs = plan.inputs.map(({ slot, kind, name }) => ({ slot, kind, of: attributeOf(plan, request, name) }));
    this.windows = plan.windows.map((group) => {
      const key = group.by === undefined ? -1 : attributes.indexOf(group.by);
      if (key >= 0) this.keyed.add(group.source);
      return { index: new WindowIndex(group, key, this.rowsOf(group.source).columns), key };
    });
    this.latest = plan.latest.map((group) => new LatestIndex(group, this.rowsOf(group.source).columns));
    this.overdue = plan.overdue.map((group) => ({ index: new OverdueIndex(group), key: attributes.indexOf(group.by) }));
  }

  /** The rows that are not held yet, each once: the first one stays. */
  unknown(source: string, rows: readonly Row[]): Row[] {
    return sortRows(rows, (row) => this.held(source, row)).fresh;
  }

  /** The row that is held under the same name. */
  held(source: string, row: Row): Row | undefined {
    return this.rowsOf(source).find(row);
  }

  /** Rows held in memory. */
  get size(): number {
    return [...this.rows.keys()].reduce((sum, source) => sum + this.sizeOf(source), 0);
  }

  sizeOf(source: string): number {
    return this.rowsOf(source).size;
  }

  /** Before it some source's rows have left memory (epoch ms). */
  get horizon(): number {
    return Math.max(Number.NEGATIVE_INFINITY, ...this.horizons.values());
  }

  horizonOf(source: string): number {
    return this.horizons.get(source) ?? Number.NEGATIVE_INFINITY;
  }

  /** Takes in rows that are not held yet (`unknown`), in any order. Rows from before the horizon are left out. */
  add(source: string, added: readonly Row[]): void {
    const isRequest = source === this.plan.requestSource;
    const horizon = this.horizonOf(source);
    const recent = added.filter((row) => this.keeps(source, row, horizon));
    const fresh = recent.map((row): HeldRow => ({ ...row, keys: [] }));
    const held = this.rowsOf(source);
    const revised = fresh.map((row) => ({ row, ...held.insert(row) }));
    if (isRequest) for (const id of new Set(fresh.map((row) => row.entityId))) this.attributesChanged(id);
    if (this.keyed.has(source)) for (const row of fresh) row.keys = this.keysOf(row);
    for (const { index } of this.windows) if (index.group.source === source) countIn(index, revised);
    for (const index of this.latest) if (index.group.source === source) index.add(fresh);
    for (const { index, key } of this.overdue) {
      if (index.group.source === source) index.add(this.dues(index, key, fresh));
      if (index.group.until === source) showUp(index, fresh);
    }
  }

  answer({ entityId, time, inputs }: Question): Answer {
    const { plan } = this;
    const asked = own(inputs, plan.entityTime) as number | undefined;
    const row = this.rowsOf(plan.requestSource).entityRow(entityId, time, asked);
    const entityTime = asked ?? row?.eventTime;
    const numbers = new Float64Array(plan.numbers.length);
    const texts = new Array<string>(plan.texts.length).fill('');
    for (const { slot, kind, of } of this.inputs) {
      const cell = of(inputs, row, entityTime);
      if (kind === 'text') texts[slot] = cell === undefined ? '' : String(cell);
      else numbers[slot] = cell === undefined ? Number.NaN : (cell as number);
    }
    const keys = this.keys.map((of) => keyOf(of(inputs, row, entityTime)));
    for (const { index, key } of this.windows) index.answer(time, keys[key], numbers);
    for (const index of this.latest) index.answer(time, numbers);
    for (const { index, key } of this.overdue) index.answer(time, keys[key], numbers);
    return { numbers, texts, entityTime, unknownEntity: !row && !Object.keys(inputs).length };
  }

  /** Forgets of a source what no question at or after `horizon` plus the plan's reach can ask for. */
  trim(source: string, horizon: number): void {
    if (horizon <= this.horizonOf(source)) return;
    this.horizons.set(source, horizon);
    this.rowsOf(source).trim((row) => this.keeps(source, row, horizon));
    for (const { index } of this.windows) if (index.group.source === source) index.trim(horizon);
    for (const index of this.latest) if (index.group.source === source) index.trim(horizon);
    for (const { index } of this.overdue) if (index.group.source === source) index.trim(horizon);
  }

  /** Whether a row is of use to any question from a horizon on: others are not in memory. */
  keeps(source: string, row: Row, horizon: number): boolean {
    return row.knownAt >= horizon || (row.eventTime >= horizon && this.plan.byEvent.has(source));
  }

  private rowsOf(source: string): SourceRows {
    return this.rows.get(source)!;
  }

  private keysOf({ entityId, eventTime, knownAt }: Pick<Row, 'entityId' | 'eventTime' | 'knownAt'>) {
    const row = this.rowsOf(this.plan.requestSource).entityRow(entityId, knownAt, eventTime);
    return row ? this.keys.map((of) => keyOf(of({}, row, row.eventTime))) : [];
  }

  /** An entity's request rows have changed: its other rows move to the keys that they should have had. */
  private attributesChanged(entityId: string): void {
    for (const source of this.keyed) {
      if (source === this.plan.requestSource) continue;
      const held = this.rowsOf(source);
      for (const row of held.of(entityId)) this.move(source, row, held.after(row), this.keysOf(row));
    }
    for (const { index, key } of this.overdue) for (const due of index.of(entityId)) due.key = this.keysOf(due)[key];
  }

  private move(source: string, row: HeldRow, after: HeldRow | undefined, keys: HeldRow['keys']): void {
    const before = row.keys;
    for (const { index, key } of this.windows) {
      if (index.group.source !== source || key < 0 || before[key] === keys[key]) continue;
      row.keys = before;
      index.remove(row);
      if (after) index.restore(row, after.knownAt);
      row.keys = keys;
      index.add(row);
      index.flush();
      if (after) index.retract(row, after.knownAt);
    }
    row.keys = keys;
  }

  /** The dues that rows add; rows about a known due only date it earlier. */
  private dues(index: OverdueIndex, key: number, rows: readonly HeldRow[]): Due[] {
    const added = new Map<string, Due>();
    const until = this.rowsOf(index.group.until);
    for (const row of rows) {
      const { entityId, eventTime, knownAt } = row;
      const id = `${eventTime} ${entityId}`;
      const due = added.get(id) ?? index.of(entityId).find((d) => d.eventTime === eventTime);
      if (due && due.knownAt <= knownAt) continue;
      const first = { knownAt, key: this.keysOf(row)[key] };
      if (due) Object.assign(due, first);
      else added.set(id, { entityId, eventTime, ...first, goneAt: firstKnown(until.of(entityId)) });
    }
    return [...added.values()];
  }
}

function countIn(index: WindowIndex, revised: readonly { row: HeldRow; before?: HeldRow; after?: HeldRow }[]): void {
  for (const { row } of revised) index.add(row);
  index.flush();
  for (const { row, before, after } of revised) {
    if (before) {
      if (after) index.restore(before, after.knownAt);
      index.retract(before, row.knownAt);
    }
    if (after) index.retract(row, after.knownAt);
  }
}

function showUp(index: OverdueIndex, rows: readonly HeldRow[]): void {
  for (const { entityId, knownAt } of rows)
    for (const due of index.of(entityId)) due.goneAt = Math.min(due.goneAt, knownAt);
}

function firstKnown(rows: readonly HeldRow[]): number {
  return rows.reduce((first, { knownAt }) => Math.min(first, knownAt), Number.POSITIVE_INFINITY);
}
