/**
 * Aggregation: a short list of stages after mongod's rules. A leading $match uses the indexes; everything that is not listed
 * is refused by name.
 */
import { type Doc, plain, type Value } from './codec.js';
import type { ScanGuard } from './database.js';
import { badValue, unsupported } from './errors.js';
import { isRecord } from './filter.js';
import { group } from './group.js';
import { matcher } from './matching.js';
import { sortDocs, sortOf } from './order.js';
import { projection } from './project.js';
import { query, select } from './select.js';
import type { Table } from './table.js';

type Stage = (docs: Doc[]) => Doc[];

const stages: Readonly<Record<string, (argument: Value) => Stage>> = {
  $match: (filter) => {
    const matches = matcher(filter as Doc);
    return (docs) => docs.filter(matches);
  },
  $sort: (argument) => {
    const sort = sortOf(argument);
    return (docs) => sortDocs(docs, (doc) => doc, sort);
  },
  $skip: (count) => (docs) => docs.slice(whole('$skip', count, 0)),
  $limit: (count) => (docs) => docs.slice(0, whole('$limit', count, 1)),
  $count: (name) => (docs) => (docs.length ? [{ [String(name)]: docs.length }] : []),
  $project: (argument) => {
    const show = projection(argument);
    return (docs) => docs.map(show);
  },
  $unwind: unwind,
  $group: group,
};

/** Stages that a pipeline may use. */
export const STAGES: ReadonlySet<string> = new Set(Object.keys(stages));

/** Runs a pipeline. Throws UNSUPPORTED by name for unlisted stages and expressions. */
export function aggregate(table: Table, rawPipeline: readonly Doc[], guard: ScanGuard): Doc[] {
  const pipeline = rawPipeline.map((stage) => plain(stage) as Doc);
  const run = pipeline.map(compiled);
  const leads = pipeline[0] && '$match' in pipeline[0];
  const ready = query(table, leads ? pipeline[0].$match : {}, guard);
  const docs = select(table, ready).map(({ doc }) => doc);
  return run.slice(leads ? 1 : 0).reduce((left, stage) => stage(left), docs);
}

function compiled(stage: Doc): Stage {
  const [name, ...more] = Object.keys(stage);
  if (name === undefined || more.length) throw badValue('a pipeline stage must have one field', 40323);
  if (!STAGES.has(name)) throw unsupported(`the aggregation stage ${name}`);
  return stages[name](stage[name]);
}

function whole(stage: string, count: Value, least: number): number {
  if (Number.isSafeInteger(count) && (count as number) >= least) return count as number;
  throw badValue(`${stage} needs a whole number from ${least} on, found ${JSON.stringify(count)}`, 15958);
}

/** A document for each element of an array; a value that is none stands for itself. */
function unwind(argument: Value): Stage {
  const { path, preserveNullAndEmptyArrays: preserve, ...more } = isRecord(argument) ? argument : { path: argument };
  const [odd] = Object.keys(more);
  if (odd) throw unsupported(`the $unwind option ${odd}`);
  const field = /^\$([^.$]+)$/.exec(String(path))?.[1];
  if (!field) throw unsupported(`$unwind of ${JSON.stringify(path)} (a field of the document, by its name)`);
  return (docs) => docs.flatMap((doc) => unwound(doc, field, Boolean(preserve)));
}

function unwound(doc: Doc, field: string, preserve: boolean): Doc[] {
  const value = doc[field];
  if (Array.isArray(value) && value.length) return value.map((item) => ({ ...doc, [field]: item }));
  if (!Array.isArray(value)) return (value ?? null) !== null || preserve ? [doc] : [];
  if (!preserve) return [];
  const { [field]: _empty, ...rest } = doc;
  return [rest];
}
