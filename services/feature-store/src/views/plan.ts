/**
 * A spec's feature columns, grouped by what must be looked up: one definition that both the online view and the
 * offline join are made from. Slots are positions in FeatureRow.numbers or .texts.
 */
import {
  durationMs,
  type FeatureColumn,
  featureColumns,
  featureLayout,
  type ModelSpec,
  outcomesSource,
} from '@driftloop/contracts';
import { type Derived, derivedInputs } from './derived.js';

/** What a row adds to a running sum; a count has no column, a share adds 1 for a cell above its bound. */
export interface Measure {
  readonly column: string | undefined;
  readonly clip: readonly [number, number] | undefined;
  readonly above: number | undefined;
}

/** `against` is the window whose aggregate is taken off, if any. */
export interface WindowOutput {
  readonly slot: number;
  readonly window: number;
  readonly against: number | undefined;
  readonly measure: number;
  readonly aggregate: 'mean' | 'count' | 'shareAbove';
}

/** All window features over one source with one `by`: they share their sorted times. */
export interface WindowGroup {
  readonly source: string;
  readonly by: string | undefined;
  readonly measures: Measure[];
  readonly windowsMs: number[];
  readonly outputs: WindowOutput[];
}

export interface LatestGroup {
  readonly source: string;
  readonly maxAgeMs: number;
  readonly outputs: { slot: number; column: string }[];
}

export type OverdueMeasure = 'due' | 'overdue' | 'meanMinutes' | 'overdueBy';

export interface OverdueGroup {
  readonly source: string;
  readonly until: string;
  readonly by: string;
  readonly windowsMs: number[];
  readonly outputs: { slot: number; window: number; measure: OverdueMeasure }[];
}

export interface InputOutput {
  readonly slot: number;
  readonly name: string;
  readonly kind: 'number' | 'text';
}

export interface ViewPlan {
  readonly spec: ModelSpec;
  readonly numbers: string[];
  readonly texts: string[];
  readonly requestSource: string;
  readonly entityTime: string;
  readonly derived: Map<string, Derived>;
  /** Column kinds of every source, `outcomes` included. */
  readonly sources: Map<string, Record<string, 'number' | 'text'>>;
  readonly inputs: InputOutput[];
  readonly windows: WindowGroup[];
  readonly latest: LatestGroup[];
  readonly overdue: OverdueGroup[];
  /** Sources whose rows are asked for by their event time: they stay in memory until that is past, whenever known. */
  readonly byEvent: Set<string>;
  /** How far back from a question any feature looks. */
  readonly reachMs: number;
}

/** Groups a validated spec's columns. */
export function planOf(spec: ModelSpec): ViewPlan {
  const layout = featureLayout(spec);
  const columns = featureColumns(spec);
  const plan: ViewPlan = {
    spec,
    ...layout,
    requestSource: spec.spec.request.source,
    entityTime: spec.spec.entity.time,
    derived: derivedInputs(spec),
    sources: new Map([
      ...Object.entries(spec.spec.sources).map(([name, source]) => [name, source.columns] as const),
      [outcomesSource, { value: 'number', source: 'text' }] as const,
    ]),
    inputs: [],
    windows: [],
    latest: [],
    overdue: [],
    byEvent: new Set([spec.spec.request.source]),
    reachMs: Math.max(durationMs(spec.spec.question.lead), ...columns.map(reachOf)),
  };
  for (const column of columns) place(plan, column);
  return plan;
}

function reachOf(column: FeatureColumn): number {
  if (column.op === 'latest') return column.maxAgeMs;
  if (column.op === 'window') return column.againstMs ?? column.windowMs;
  return column.op === 'input' ? 0 : column.windowMs;
}

function place(plan: ViewPlan, column: FeatureColumn): void {
  const slot = (column.kind === 'number' ? plan.numbers : plan.texts).indexOf(column.name);
  if (column.op === 'input') plan.inputs.push({ slot, name: column.input, kind: column.kind });
  else if (column.op === 'latest') placeLatest(plan, column, slot);
  else if (column.op === 'window') placeWindow(plan, column, slot);
  else placeOverdue(plan, column, slot);
}

function placeLatest(plan: ViewPlan, column: FeatureColumn & { op: 'latest' }, slot: number): void {
  const { source, maxAgeMs } = column;
  plan.byEvent.add(source);
  const group = found(
    plan.latest,
    (g) => g.source === source && g.maxAgeMs === maxAgeMs,
    () => ({ source, maxAgeMs, outputs: [] }),
  );
  group.outputs.push({ slot, column: column.column });
}

function placeWindow(plan: ViewPlan, column: FeatureColumn & { op: 'window' }, slot: number): void {
  const { source, by, clip, above, aggregate } = column;
  const group = found(
    plan.windows,
    (g) => g.source === source && g.by === by,
    () => ({ source, by, measures: [], windowsMs: [], outputs: [] }),
  );
  const wanted: Measure = { column: column.column, clip, above: aggregate === 'shareAbove' ? above : undefined };
  const measure = found(
    group.measures,
    (m) => JSON.stringify(m) === JSON.stringify(wanted),
    () => wanted,
  );
  group.outputs.push({
    slot,
    window: indexOf(group.windowsMs, column.windowMs),
    against: column.againstMs === undefined ? undefined : indexOf(group.windowsMs, column.againstMs),
    measure: group.measures.indexOf(measure),
    aggregate,
  });
}

function placeOverdue(plan: ViewPlan, column: FeatureColumn & { op: 'overdue' }, slot: number): void {
  const { source, until, by, measure } = column;
  plan.byEvent.add(source);
  const group = found(
    plan.overdue,
    (g) => g.source === source && g.until === until && g.by === by,
    () => ({ source, until, by, windowsMs: [], outputs: [] }),
  );
  group.outputs.push({ slot, window: indexOf(group.windowsMs, column.windowMs), measure });
}

function found<T>(list: T[], matches: (item: T) => boolean, make: () => T): T {
  let item = list.find(matches);
  if (!item) {
    item = make();
    list.push(item);
  }
  return item;
}

function indexOf(list: number[], value: number): number {
  if (!list.includes(value)) list.push(value);
  return list.indexOf(value);
}
