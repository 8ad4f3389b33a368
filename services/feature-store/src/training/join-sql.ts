/**
 * The point-in-time join as SQL, generated from the same plan as the online view: every label with the features as of
 * its question. Tables `raw_<source>` (seq, e, t, k, c_<column>…) are there; `joined` is what comes out.
 *
 * I1  Nothing with k (known-at, epoch ms) above the cutoff or the question is read: bitemporal, as of both.
 * I2  A window is the difference of two running sums, each found by an ASOF join; all sums are whole numbers.
 * I3  A row is the latest once it is known and its own time has come: none is dated after the question.
 * I4  A label that was known by its question is no answer to it: its row is left out, and counted.
 * I5  An overdue entity is an interval [first due and known, shown up or out of the window): a running count too.
 * I6  Names that a spec gives are prefixed (`c_`) or numbered (`number_3`, `text_0`, `key_1`) until `joined` is written: no
 *     feature or input can be called like what the join itself needs, and DuckDB, which does not tell case apart, meets none.
 */
import { durationMs, outcomesSource } from '@driftloop/contracts';
import { quoted } from '../duckdb.js';
import type { Derived } from '../views/derived.js';
import { units } from '../views/measure.js';
import type { LatestGroup, OverdueGroup, ViewPlan, WindowGroup, WindowOutput } from '../views/plan.js';
import { cell, keyedTable, rawTable, rowsTable } from './join-tables.js';
import { digitName, lanesSql } from './lane-sql.js';

/** What the generator must know about the data besides the plan. */
export interface JoinFacts {
  readonly cutoffMs: number;
  /** Range of the entities' own times, for the zones' changes. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Sources that hold superseded revisions. */
  readonly revised: ReadonlySet<string>;
  /** For each window group, which digits of each measure hold anything: the others are left out of the sums. */
  readonly digits: readonly (readonly number[][])[];
  /** SQL over the labels `l`: whether a label is left out (exclusion.ts). */
  readonly excluded: string;
}

const everything = `''`;
/** I6 */
const numberName = (slot: number) => `number_${slot}`;
const textName = (slot: number) => `text_${slot}`;
const keyName = (plan: ViewPlan, by: string | undefined) =>
  by === undefined ? everything : `key_${attributeNames(plan).indexOf(by)}`;

/** Rows without duplicates, up to the cutoff, each with the known-at of the revision that replaces it. */
export function rowsSql(plan: ViewPlan, cutoffMs: number): string[] {
  return [...plan.sources].flatMap(([source, columns]) => {
    const cells = Object.keys(columns).map((column) => `, ${cell(column)}`);
    return [
      `CREATE TEMP TABLE ${rowsTable(source)} AS
       SELECT e, t, k${cells.join('')}, lead(k) OVER (PARTITION BY e, t ORDER BY k) AS next_k
       FROM (SELECT * FROM ${rawTable(source)} WHERE k <= ${cutoffMs}
             QUALIFY row_number() OVER (PARTITION BY e, t, k ORDER BY seq) = 1)`,
      `DROP TABLE ${rawTable(source)}`,
    ];
  });
}

/** Which sources hold superseded revisions, and the range of the entities' own times. */
export function surveySql(plan: ViewPlan): { revised: string; range: string } {
  const counts = [...plan.sources.keys()].map(
    (source) => `SELECT '${source}' AS source, count(next_k) AS n FROM ${rowsTable(source)}`,
  );
  const range = `SELECT min(t)::DOUBLE AS low, max(t)::DOUBLE AS high FROM
    (SELECT t FROM ${rowsTable(plan.requestSource)} UNION ALL SELECT t FROM ${rowsTable(outcomesSource)})`;
  return { revised: `SELECT source FROM (${counts.join(' UNION ALL ')}) WHERE n > 0`, range };
}

/** The statements that make `joined` from the rows, in order. */
export function joinSql(plan: ViewPlan, facts: JoinFacts): string[] {
  const tables: string[] = [];
  const feature = (name: string, sql: string[]) => {
    tables.push(name);
    return sql;
  };
  return [
    ...questionsSql(plan, facts),
    ...keyedSources(plan).map((source) => keyedSql(plan, facts, source)),
    ...plan.windows.flatMap((group, i) => feature(`window_${i}`, windowSql(plan, group, i, facts))),
    ...plan.latest.flatMap((group, i) => feature(`latest_${i}`, latestSql(group, i))),
    ...plan.overdue.flatMap((group, i) => feature(`overdue_${i}`, overdueSql(plan, group, i))),
    `CREATE TEMP TABLE joined AS
      SELECT entity_id, entity_time, cohort, label, label_known_at, ${named(plan)}, q_time AS question_time
      FROM questions ${tables.map((name) => `JOIN ${name} USING (rid)`).join(' ')}`,
  ];
}

/** Features in the order in which they are written: as the spec declares them, texts and numbers mixed. */
export function featureNames(plan: ViewPlan): string[] {
  return [...plan.texts, ...plan.numbers];
}

const named = ({ texts, numbers }: ViewPlan) =>
  [
    ...texts.map((name, slot) => `${textName(slot)} AS ${quoted(name)}`),
    ...numbers.map((name, slot) => `${numberName(slot)} AS ${quoted(name)}`),
  ].join(', ');

/** `asked`: every label with its question; `questions`: those that are not left out. */
function questionsSql(plan: ViewPlan, facts: JoinFacts): string[] {
  const { spec } = plan.spec;
  const [hours, minutes] = spec.cohort.startsAt.split(':').map(Number);
  const offset = (hours * 60 + minutes) * 60_000;
  const attributes = attributeNames(plan).map(
    (name) => `, ((${attributeSql(plan, facts, name, 'l.t')})::VARCHAR) AS ${keyName(plan, name)}`,
  );
  const inputs = plan.inputs.map(({ name, kind, slot }) => {
    const value = attributeSql(plan, facts, name, 'l.t');
    return kind === 'text'
      ? `, coalesce((${value})::VARCHAR, '') AS ${textName(slot)}`
      : `, (${value})::DOUBLE AS ${numberName(slot)}`;
  });
  return [
    `CREATE TEMP TABLE asked AS
      SELECT l.e AS entity_id, l.t AS entity_time, l.q AS q_time, l.label AS label, l.k AS label_known_at,
        (floor((l.t - ${offset}) / 86400000.0) * 86400000 + ${offset})::BIGINT AS cohort${attributes.join('')}${inputs.join('')},
        (l.first_k <= l.q OR (${facts.excluded})) AS left_out
      FROM (SELECT e, t, k, t - ${durationMs(spec.question.lead)} AS q, ${cell('value')} AS label, ${cell('source')} AS source,
              min(k) OVER (PARTITION BY e, t) AS first_k
            FROM ${rowsTable(outcomesSource)} QUALIFY next_k IS NULL) l
      JOIN ${rowsTable(plan.requestSource)} r ON r.e = l.e AND r.k <= l.q
      WHERE l.q <= ${facts.cutoffMs}
      QUALIFY row_number() OVER (PARTITION BY l.e, l.t ORDER BY (r.t = l.t)::INT DESC, r.t DESC, r.k DESC) = 1`,
    `CREATE TEMP TABLE questions AS
      SELECT row_number() OVER (ORDER BY q_time, entity_id, entity_time) AS rid, * EXCLUDE (left_out)
      FROM asked WHERE NOT left_out`,
  ];
}

/** A source's rows with the attributes that their entity had when they became known. */
function keyedSql(plan: ViewPlan, facts: JoinFacts, source: string): string {
  const attributes = attributeNames(plan).map(
    (name) => `, ((${attributeSql(plan, facts, name, 'r.t')})::VARCHAR) AS ${keyName(plan, name)}`,
  );
  return `CREATE TEMP TABLE ${keyedTable(source)} AS
    SELECT s.*${attributes.join('')} FROM ${rowsTable(source)} s
    LEFT JOIN ${rowsTable(plan.requestSource)} r ON r.e = s.e AND r.k <= s.k
    QUALIFY row_number() OVER (PARTITION BY s.e, s.t, s.k ORDER BY (r.t = s.t)::INT DESC, r.t DESC, r.k DESC) = 1`;
}

function attributeSql(plan: ViewPlan, facts: JoinFacts, name: string, entityTime: string): string {
  const derived = plan.derived.get(name);
  if (derived)
    return partSql(derived, derived.from === plan.entityTime ? entityTime : columnSql(plan, derived.from), facts);
  return columnSql(plan, name);
}

function columnSql(plan: ViewPlan, name: string): string {
  return Object.hasOwn(plan.sources.get(plan.requestSource)!, name) ? cell(name, 'r.') : 'NULL';
}

/** `partOf` in SQL: the zone's changes are written out. */
function partSql({ part, clock }: Derived, time: string, facts: JoinFacts): string {
  const changes = clock.changes(facts.fromMs, facts.toMs);
  const later = changes.slice(1).reverse();
  const cases = later.map(({ fromMs, offsetMs }) => `WHEN ${time} >= ${fromMs} THEN ${offsetMs}`);
  const offset = cases.length ? `CASE ${cases.join(' ')} ELSE ${changes[0].offsetMs} END` : `${changes[0].offsetMs}`;
  const local = `(${time} + ${offset})`;
  const days = `floor(${local} / 86400000.0)::BIGINT`;
  if (part === 'dayOfWeek') return `((${days} + 4) % 7 + 7) % 7`;
  const minutes = `((${local} - ${days} * 86400000) // 60000)`;
  return part === 'minuteOfDay' ? minutes : `(${minutes} // 60)`;
}

function windowSql(plan: ViewPlan, group: WindowGroup, i: number, facts: JoinFacts): string[] {
  const { source, by, measures, windowsMs, outputs } = group;
  const from = by === undefined ? rowsTable(source) : keyedTable(source);
  const digits = facts.digits[i];
  const lanes = measures.flatMap((measure, m) => lanesSql(measure, m, digits[m]));
  const names = lanes.map(({ name }) => name);
  const key = keyName(plan, by);
  const revised = facts.revised.has(source);
  const joins = windowsMs.map((ms, w) => asof(`sums_${i}`, `l${w}`, key, `q.q_time - ${ms}`));
  const taken = (w: number) => `taken_${i}_${w}`;
  const value = (lane: string, w: number) =>
    `(coalesce(u.${lane}, 0) - coalesce(l${w}.${lane}, 0)${revised ? ` - coalesce(t${w}.${lane}, 0)` : ''})`;
  const known = by === undefined ? '' : `q.${key} IS NOT NULL AND `;
  const aggregated = (window: number, { measure, aggregate }: WindowOutput) => {
    const n = value(`n${measure}`, window);
    const parts = digits[measure].map((d) => `${value(digitName(measure, d), window)} * ${units[d]}::DOUBLE`);
    const mean = `(${parts.reduce((sum, part) => `(${sum} + ${part})`, '0.0::DOUBLE')}) / ${n}`;
    return aggregate === 'count'
      ? `CASE WHEN ${known}true THEN ${n} END`
      : `CASE WHEN ${known}${n} > 0 THEN ${mean} END`;
  };
  const columns = outputs.map((output) => {
    const sql = aggregated(output.window, output);
    const less = output.against === undefined ? '' : ` - (${aggregated(output.against, output)})`;
    return `(${sql})${less} AS ${numberName(output.slot)}`;
  });
  return [
    `CREATE TEMP TABLE sums_${i} AS
     SELECT key, k, ${names.map((name) => `sum(${name}) OVER (PARTITION BY key ORDER BY k ROWS UNBOUNDED PRECEDING) AS ${name}`).join(', ')}
     FROM (SELECT ${key} AS key, k, ${lanes.map(({ name, sql }) => `sum(${sql}) AS ${name}`).join(', ')}
           FROM ${from} WHERE ${key} IS NOT NULL GROUP BY 1, 2)`,
    ...(revised ? windowsMs.map((ms, w) => takenSql(taken(w), ms, from, key, lanes)) : []),
    `CREATE TEMP TABLE window_${i} AS SELECT q.rid, ${columns.join(', ')} FROM questions q
     ${asof(`sums_${i}`, 'u', key, 'q.q_time')} ${joins.join(' ')}
     ${revised ? windowsMs.map((_, w) => `LEFT JOIN ${taken(w)} t${w} ON t${w}.rid = q.rid`).join(' ') : ''}`,
    `DROP TABLE sums_${i}`,
  ];
}

/** What superseded rows still add to a window, although a newer revision was known. */
function takenSql(name: string, ms: number, from: string, key: string, lanes: { name: string; sql: string }[]): string {
  const on = key === everything ? '' : `s.${key} = q.${key} AND `;
  return `CREATE TEMP TABLE ${name} AS SELECT q.rid, ${lanes.map((lane) => `sum(${lane.sql}) AS ${lane.name}`).join(', ')}
    FROM questions q JOIN (SELECT * FROM ${from} WHERE next_k IS NOT NULL) s
      ON ${on}s.next_k <= q.q_time AND s.k > q.q_time - ${ms} GROUP BY q.rid`;
}

function latestSql({ source, maxAgeMs, outputs }: LatestGroup, i: number): string[] {
  const columns = outputs.map(
    ({ slot, column }) =>
      `CASE WHEN q.q_time - r.t <= ${maxAgeMs} THEN ${cell(column, 'r.')} END AS ${numberName(slot)}`,
  );
  return [
    `CREATE TEMP TABLE ordered_${i} AS SELECT *, row_number() OVER (ORDER BY t, k, e) AS o FROM ${rowsTable(source)}`,
    `CREATE TEMP TABLE best_${i} AS SELECT k, max(best) AS o FROM
      (SELECT k, max(o) OVER (ORDER BY k ROWS UNBOUNDED PRECEDING) AS best
       FROM (SELECT greatest(k, t) AS k, o FROM ordered_${i})) GROUP BY k`,
    `CREATE TEMP TABLE latest_${i} AS SELECT q.rid, ${columns.join(', ')} FROM questions q
     ${asof(`best_${i}`, 'b', everything, 'q.q_time')} LEFT JOIN ordered_${i} r ON r.o = b.o`,
  ];
}

function overdueSql(plan: ViewPlan, group: OverdueGroup, i: number): string[] {
  const key = keyName(plan, group.by);
  const steps = group.windowsMs.flatMap((ms, w) => stepsSql(`${i}_${w}`, ms));
  const columns = group.outputs.map(({ slot, window: w, measure }) => {
    const n = `coalesce(a${w}.n, 0)`;
    const sql = {
      due: `coalesce(a${w}.due, 0)`,
      overdue: n,
      meanMinutes: `CASE WHEN ${n} > 0 THEN (${n} * q.q_time - a${w}.t)::DOUBLE / 60000.0::DOUBLE / ${n}::DOUBLE END`,
      overdueBy: `CASE WHEN q.${key} IS NOT NULL THEN coalesce(b${w}.n, 0) END`,
    }[measure];
    return `(${sql})::DOUBLE AS ${numberName(slot)}`;
  });
  const joins = group.windowsMs.map(
    (_, w) =>
      `${asof(`overdue_all_${i}_${w}`, `a${w}`, everything, 'q.q_time')} ${asof(`overdue_by_${i}_${w}`, `b${w}`, key, 'q.q_time')}`,
  );
  return [
    `CREATE OR REPLACE TEMP TABLE due AS SELECT d.*, greatest(d.t, d.k) AS start, coalesce(g.gone, ${Number.MAX_SAFE_INTEGER}) AS gone
     FROM (SELECT e, t, min(k) AS k, arg_min(key, k) AS key FROM
            (SELECT e, t, k, coalesce(${key}::VARCHAR, '') AS key FROM ${keyedTable(group.source)}) GROUP BY e, t) d
     LEFT JOIN (SELECT e, min(k) AS gone FROM ${rowsTable(group.until)} GROUP BY e) g ON g.e = d.e`,
    ...steps,
    `CREATE TEMP TABLE overdue_${i} AS SELECT q.rid, ${columns.join(', ')} FROM questions q ${joins.join(' ')}`,
  ];
}

/** Running counts of the due and the overdue of a window: each comes in once and goes out once. */
function stepsSql(name: string, ms: number): string[] {
  const running = (column: string, key: string) =>
    `(sum(${column}) OVER (PARTITION BY ${key} ORDER BY k ROWS UNBOUNDED PRECEDING))::BIGINT AS ${column}`;
  return [
    `CREATE OR REPLACE TEMP TABLE steps AS
     SELECT key, start AS k, 1 AS due, 0 AS n, 0::BIGINT AS t FROM due WHERE start < t + ${ms}
     UNION ALL SELECT key, t + ${ms}, -1, 0, 0 FROM due WHERE start < t + ${ms}
     UNION ALL SELECT key, start, 0, 1, t FROM due WHERE start < least(gone, t + ${ms})
     UNION ALL SELECT key, least(gone, t + ${ms}), 0, -1, -t FROM due WHERE start < least(gone, t + ${ms})`,
    `CREATE TEMP TABLE overdue_all_${name} AS SELECT k, ${['due', 'n', 't'].map((c) => running(c, 'key0')).join(', ')}
     FROM (SELECT '' AS key0, k, sum(due) AS due, sum(n) AS n, sum(t) AS t FROM steps GROUP BY k)`,
    `CREATE TEMP TABLE overdue_by_${name} AS SELECT key, k, ${running('n', 'key')}
     FROM (SELECT key, k, sum(n) AS n FROM steps WHERE key <> '' GROUP BY key, k)`,
  ];
}

/** The last row of `table` at or before a moment, of the question's key. */
function asof(table: string, alias: string, key: string, moment: string): string {
  const on = key === everything ? '' : `${alias}.key = q.${key} AND `;
  return `ASOF LEFT JOIN ${table} ${alias} ON ${on}${alias}.k <= ${moment}`;
}

function attributeNames(plan: ViewPlan): string[] {
  return [...new Set([...plan.windows, ...plan.overdue].flatMap(({ by }) => by ?? []))];
}

function keyedSources(plan: ViewPlan): string[] {
  return [
    ...new Set([...plan.windows.filter(({ by }) => by !== undefined), ...plan.overdue].map(({ source }) => source)),
  ];
}
