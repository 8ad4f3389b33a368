/** Aggregation: a leading $match uses the indexes, the rest is mingo's. */
import { Aggregator } from 'mingo';
import { type Doc, plain } from './codec.js';
import type { ScanGuard } from './database.js';
import { unsupported } from './errors.js';
import { matcher } from './matching.js';
import { query, select } from './select.js';
import type { Table } from './table.js';

/** Stages that a pipeline may use. */
export const STAGES: ReadonlySet<string> = new Set(
  '$match $group $sort $limit $skip $project $addFields $set $unset $unwind $count $sortByCount $replaceRoot $replaceWith $bucket $facet'.split(
    ' ',
  ),
);

/** Runs a pipeline. Throws UNSUPPORTED by name for unlisted stages. */
export function aggregate(table: Table, rawPipeline: readonly Doc[], guard: ScanGuard): Doc[] {
  const pipeline = rawPipeline.map((stage) => plain(stage) as Doc);
  pipeline.forEach(checkStage);
  const leads = pipeline[0] && '$match' in pipeline[0];
  const ready = query(table, leads ? pipeline[0].$match : {}, guard);
  const docs = select(table, ready).map(({ doc }) => doc);
  const rest = leads ? pipeline.slice(1) : pipeline;
  return rest.length ? (new Aggregator(rest).run(docs) as Doc[]) : docs;
}

function checkStage(stage: Doc): void {
  for (const name of Object.keys(stage)) {
    if (!STAGES.has(name)) throw unsupported(`the aggregation stage ${name}`);
    if (name === '$match') matcher(stage.$match as Doc);
    if (name === '$facet') for (const inner of Object.values(stage.$facet as Doc)) (inner as Doc[]).forEach(checkStage);
  }
}
