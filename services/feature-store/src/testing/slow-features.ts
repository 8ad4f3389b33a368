/** Features by their definition alone: filters and loops over all rows, for specs to hold both computations against. */
import { durationMs, type FeatureColumn, featureColumns, type ModelSpec } from '@driftloop/contracts';

/** A row of any source; labels are rows of `outcomes`. */
export interface PlainRow {
  entity: string;
  event: number;
  known: number;
  cells: Record<string, number | string | undefined>;
}

export type PlainWorld = Record<string, PlainRow[]>;

type Plain = number | string | undefined;

/** Every feature of the question about an entity and its time, by name. */
export function slowFeatures(spec: ModelSpec, world: PlainWorld, entity: string, time: number): Record<string, Plain> {
  const t = time - durationMs(spec.spec.question.lead);
  const own = (name: string) => attribute(spec, world, name, { entity, event: time, known: t, cells: {} });
  const value = (column: FeatureColumn): Plain => {
    if (column.op === 'input') return own(column.input);
    if (column.op === 'latest') return latest(world, column, t);
    if (column.op === 'window') return windowed(spec, world, column, t, column.by ? own(column.by) : 'all');
    return overdue(spec, world, column, t, own(column.by));
  };
  return Object.fromEntries(featureColumns(spec).map((column) => [column.name, value(column)]));
}

/** Rows as they were known at t: of each (entity, event time) the newest revision. */
function knownRows(rows: readonly PlainRow[], t: number): PlainRow[] {
  const known = rows.filter((row) => row.known <= t);
  return known.filter((row) => !known.some((r) => sameFact(r, row) && r.known > row.known));
}

const sameFact = (a: PlainRow, b: PlainRow) => a.entity === b.entity && a.event === b.event;

/** A request input of a row's entity, as it was known when the row became known. */
function attribute(spec: ModelSpec, world: PlainWorld, name: string, row: PlainRow): Plain {
  const rows = knownRows(world[spec.spec.request.source], row.known).filter((r) => r.entity === row.entity);
  const newest = rows.toSorted((a, b) => b.event - a.event)[0];
  const found = rows.find((r) => r.event === row.event) ?? newest;
  if (!found) return undefined;
  const derived = spec.spec.derived[name];
  if (!derived) return found.cells[name];
  const part = { hourOfDay: { hour: 'numeric' }, dayOfWeek: { weekday: 'short' } }[
    derived.part as 'hourOfDay'
  ] as object;
  const options = { timeZone: derived.zone, hourCycle: 'h23', ...part } as Intl.DateTimeFormatOptions;
  const shown = new Intl.DateTimeFormat('en-US', options).format(found.event);
  const weekday = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(shown);
  return weekday >= 0 ? weekday : Number(shown);
}

function latest(world: PlainWorld, column: FeatureColumn & { op: 'latest' }, t: number): Plain {
  const rows = world[column.source].filter(({ known, event }) => known <= t && event <= t);
  const byName = (a: PlainRow, b: PlainRow) => Buffer.compare(Buffer.from(b.entity), Buffer.from(a.entity));
  const order = (a: PlainRow, b: PlainRow) => b.event - a.event || b.known - a.known || byName(a, b);
  const newest = rows.toSorted(order)[0];
  return newest && t - newest.event <= column.maxAgeMs ? newest.cells[column.column] : undefined;
}

function windowed(
  spec: ModelSpec,
  world: PlainWorld,
  column: FeatureColumn & { op: 'window' },
  t: number,
  key: Plain,
): Plain {
  const value = aggregated(spec, world, column, t, key);
  if (column.againstMs === undefined || value === undefined) return value;
  const usual = aggregated(spec, world, { ...column, windowMs: column.againstMs }, t, key);
  return (value as number) - (usual as number);
}

function aggregated(
  spec: ModelSpec,
  world: PlainWorld,
  column: FeatureColumn & { op: 'window' },
  t: number,
  key: Plain,
): Plain {
  if (key === undefined) return undefined;
  const { by, clip, above } = column;
  const rows = knownRows(world[column.source], t).filter((row) => row.known > t - column.windowMs);
  const mine = by === undefined ? rows : rows.filter((row) => attribute(spec, world, by, row) === key);
  const cells = mine.map((row) => (column.column ? row.cells[column.column] : 1)).filter((cell) => cell !== undefined);
  if (column.aggregate === 'count') return cells.length;
  const numbers = cells.map((cell) => {
    if (column.aggregate === 'shareAbove') return (cell as number) > above! ? 1 : 0;
    return clip ? Math.max(clip[0], Math.min(clip[1], cell as number)) : (cell as number);
  });
  return numbers.length ? numbers.reduce((sum, n) => sum + n, 0) / numbers.length : undefined;
}

function overdue(
  spec: ModelSpec,
  world: PlainWorld,
  column: FeatureColumn & { op: 'overdue' },
  t: number,
  key: Plain,
): Plain {
  const known = world[column.source].filter((row) => row.known <= t);
  const firsts = known.filter((row) => !known.some((r) => sameFact(r, row) && r.known < row.known));
  const due = firsts.filter(({ event }) => event > t - column.windowMs && event <= t);
  const gone = (row: PlainRow) => world[column.until].some((r) => r.entity === row.entity && r.known <= t);
  const left = due.filter((row) => !gone(row));
  if (column.measure === 'due') return due.length;
  if (column.measure === 'overdue') return left.length;
  if (column.measure === 'overdueBy') {
    return key === undefined ? undefined : left.filter((row) => attribute(spec, world, column.by, row) === key).length;
  }
  return left.length ? left.reduce((sum, { event }) => sum + (t - event) / 60_000, 0) / left.length : undefined;
}
