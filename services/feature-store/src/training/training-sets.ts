/**
 * Training sets: the point-in-time join over the durable rows, in DuckDB, as Parquet in the object store.
 *
 * I1  A set is named by the SHA-256 of its canonical rows: one text a row (cells in column order, separated by U+001F,
 *     missing ones empty), each hashed; the hash of the header and those hashes, by question time and entity, is the name.
 * I2  The same spec, cutoff and rows give the same name, whatever the batches, segments or machine.
 */
import type { BuildTrainingSetRequest, TrainingSet } from '@driftloop/contracts';
import {
  canonicalJson,
  isEventMs,
  outcomesSource,
  parseModelSpec,
  reservedColumns,
  trainingSetColumns,
} from '@driftloop/contracts';
import { Objects } from '@driftloop/objects';
import { Metrics } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { type Duck, literal, quoted, withDuckDB } from '../duckdb.js';
import { errors } from '../errors.js';
import type { ModelView } from '../model-view.js';
import { Models } from '../models.js';
import { type Columns, linesSql } from '../rows/lines.js';
import type { LogFiles } from '../rows/row-log.js';
import { lineOf } from '../serial.js';
import { planOf, type ViewPlan } from '../views/plan.js';
import { excludedRows, excludedSql } from './exclusion.js';
import { featureNames, joinSql, rowsSql, surveySql } from './join-sql.js';
import { rawTable } from './join-tables.js';
import { digitsIn, digitsSql } from './lane-sql.js';

/** The columns before the features: times are epoch milliseconds here, and timestamps (UTC) in the file. */
const leading = trainingSetColumns;
const times = ['entity_time', 'question_time', 'cohort', 'label_known_at'];
const order = 'question_time, entity_id, entity_time';
const setsAtOnce = 16;

@Injectable()
export class TrainingSets {
  private readonly turns = lineOf('training sets', setsAtOnce);

  constructor(
    private readonly models: Models,
    private readonly objects: Objects,
    metrics: Metrics,
  ) {
    metrics.queue('training sets', setsAtOnce, () => this.turns.state);
  }

  /**
   * Joins every label known at or before the cutoff with the features as of its question, and stores the set.
   * Rows whose label lies in an excluded window are left out and counted; the name covers what is left.
   * Whoever has gone leaves the line; a join that has begun ends, and whoever asks again finds its set.
   * Throws UNKNOWN_MODEL, UNKNOWN_REVISION, SPEC_INVALID, UNKNOWN_SOURCE, TIME_INVALID, WINDOW_INVALID, TRAINING_SET_EMPTY, FEATURE_NAME_RESERVED, TOO_BUSY.
   */
  async build(tenant: string, request: BuildTrainingSetRequest, gone?: AbortSignal): Promise<TrainingSet> {
    const view = this.models.of(tenant, request.model);
    const plan = request.specJson
      ? planOver(view, request.specJson)
      : await this.models.planAt(view, request.specRevision);
    const cutoff = request.knowledgeCutoff?.getTime() ?? Number.NaN;
    if (!isEventMs(cutoff)) throw errors.TIME_INVALID({ what: 'knowledge_cutoff' });
    const names = reservedColumns(featureNames(plan));
    if (names.length) throw errors.FEATURE_NAME_RESERVED({ names });
    const excluded = excludedSql(request.excluded);
    return this.turns.run(() => withDuckDB((duck) => this.join(duck, view, plan, cutoff, excluded)), gone);
  }

  private async join(
    duck: Duck,
    view: ModelView,
    plan: ViewPlan,
    cutoffMs: number,
    excluded: string,
  ): Promise<TrainingSet> {
    for (const [source, columns] of plan.sources) {
      const log = await view.log(source, columns);
      await duck.run(...rawSql(source, columns, await log.files(duck.folder)));
    }
    await duck.run(...rowsSql(plan, cutoffMs));
    const survey = surveySql(plan);
    const revised = new Set((await duck.rows<{ source: string }>(survey.revised)).map(({ source }) => source));
    const [{ low, high }] = await duck.rows<{ low: number | null; high: number | null }>(survey.range);
    const digits = await digitsOf(duck, plan);
    await duck.run(...joinSql(plan, { cutoffMs, fromMs: low ?? 0, toMs: high ?? 0, revised, digits, excluded }));
    const [set] = await duck.rows<Summary>(summarySql(plan));
    if (!set.rows) throw await empty(duck, view, plan, cutoffMs);
    return { ...(await this.store(duck, view.tenant, plan, set)), excludedRows: await excludedRows(duck) };
  }

  private async store(duck: Duck, tenant: string, plan: ViewPlan, set: Summary): Promise<TrainingSet> {
    const key = `${tenant}/datasets/${set.sha256}.parquet`;
    if (!(await this.objects.exists(key))) {
      const path = `${duck.folder}/set.parquet`;
      const dated = times.map((name) => `epoch_ms(${name}) AS ${name}`);
      await duck.run(
        `COPY (SELECT * REPLACE (${dated.join(', ')}) FROM joined ORDER BY ${order}) TO ${literal(path)} (FORMAT PARQUET)`,
      );
      await this.objects.putFile(key, path);
    }
    return {
      uri: key,
      sha256: set.sha256,
      rows: set.rows,
      firstQuestion: new Date(set.first),
      lastQuestion: new Date(set.last),
      numberFeatures: plan.numbers,
      textFeatures: plan.texts,
      excludedRows: 0,
      span: undefined,
    };
  }
}

async function digitsOf(duck: Duck, { windows }: ViewPlan): Promise<number[][][]> {
  const found: number[][][] = [];
  for (const group of windows) {
    const [row] = await duck.rows<Record<string, unknown>>(digitsSql(group));
    found.push(digitsIn(group, row));
  }
  return found;
}

/** Another spec's features over the sources that the model has declared. Throws SPEC_INVALID, UNKNOWN_SOURCE. */
function planOver(view: ModelView, specJson: string): ViewPlan {
  const plan = planOf(parseModelSpec(specJson));
  const known = [...view.plan.sources.keys()];
  for (const source of plan.sources.keys())
    if (!known.includes(source)) throw errors.UNKNOWN_SOURCE({ model: view.model, source, known });
  return plan;
}

interface Summary {
  rows: number;
  first: number;
  last: number;
  sha256: string;
}

/** Statements that fill `raw_<source>` from a stream's files. */
function rawSql(source: string, columns: Columns, { segments, columns: stored, lines }: LogFiles): string[] {
  const names = Object.keys(columns);
  const type = (name: string) => (columns[name] === 'number' ? 'DOUBLE' : 'VARCHAR');
  const cell = (name: string) => `TRY_CAST(${quoted(`c_${name}`)} AS ${type(name)})`;
  const table = names.map((name) => `, ${quoted(`c_${name}`)} ${type(name)}`).join('');
  const insert = `INSERT INTO ${rawTable(source)} SELECT seq, e, t, k`;
  const create = `CREATE TEMP TABLE ${rawTable(source)} (seq BIGINT, e VARCHAR, t BIGINT, k BIGINT${table})`;
  const held = names.map((name) => (stored.has(name) ? `, ${cell(name)}` : ', NULL')).join('');
  const parquet = `read_parquet([${segments.map(literal).join(', ')}], union_by_name = true)`;
  return [
    create,
    ...(segments.length ? [`${insert}${held} FROM ${parquet}`] : []),
    ...(lines
      ? [`${insert}${names.map((name) => `, ${cell(name)}`).join('')} FROM (${linesSql([lines], names)})`]
      : []),
  ];
}

/** Size, range and name of `joined` (I1). */
function summarySql(plan: ViewPlan): string {
  const names = [...leading, ...featureNames(plan)];
  const cells = names.map((name) => `coalesce(${quoted(name)}::VARCHAR, '')`).join(', ');
  const header = canonicalJson(names);
  return `SELECT count(*)::DOUBLE AS rows, min(question_time)::DOUBLE AS first, max(question_time)::DOUBLE AS last,
      sha256(${literal(header)} || coalesce(string_agg(row, '' ORDER BY ${order}), '')) AS sha256
    FROM (SELECT question_time, entity_id, entity_time, sha256(concat_ws(chr(31), ${cells})) AS row FROM joined)`;
}

async function empty(duck: Duck, view: ModelView, plan: ViewPlan, cutoffMs: number) {
  const count = async (source: string) =>
    (await duck.rows<{ n: number }>(`SELECT count(*)::DOUBLE AS n FROM ${quoted(`rows_${source}`)}`))[0].n;
  const labels = await count(outcomesSource);
  const rows = await count(plan.requestSource);
  return errors.TRAINING_SET_EMPTY({ model: view.model, cutoff: new Date(cutoffMs).toISOString(), labels, rows });
}
