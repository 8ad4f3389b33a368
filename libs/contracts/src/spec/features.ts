/**
 * A spec's features as flat columns, in the one order that training, serving and the feature store share.
 *
 * Numbers and texts keep their relative order; a text column is categorical.
 */
import { own } from '../own.js';
import { durationMs } from './duration.js';
import type { ModelSpec } from './model-spec.js';

export type FeatureColumn = { readonly name: string; readonly kind: 'number' | 'text' } & (
  | { readonly op: 'input'; readonly input: string }
  | { readonly op: 'latest'; readonly source: string; readonly column: string; readonly maxAgeMs: number }
  | {
      readonly op: 'window';
      /** A declared source, or "outcomes". */
      readonly source: string;
      readonly aggregate: 'mean' | 'count' | 'shareAbove';
      readonly column: string | undefined;
      readonly clip: readonly [number, number] | undefined;
      readonly above: number | undefined;
      readonly windowMs: number;
      /** A longer window whose aggregate is taken off. */
      readonly againstMs: number | undefined;
      readonly by: string | undefined;
    }
  | {
      readonly op: 'overdue';
      readonly source: string;
      readonly until: string;
      readonly measure: 'due' | 'overdue' | 'meanMinutes' | 'overdueBy';
      readonly windowMs: number;
      readonly by: string;
    }
);

/** The source name under which labels of the model itself can be aggregated. */
export const outcomesSource = 'outcomes';

const overdueMeasures = [
  ['due', 'due'],
  ['overdue', 'overdue'],
  ['meanMinutes', 'overdue_minutes'],
  ['overdueBy', 'overdue_by'],
] as const;

/** Flat feature columns of a spec, in declaration order; names are unique (validated by `parseModelSpec`). */
export function featureColumns(spec: ModelSpec): FeatureColumn[] {
  const { request, derived, features } = spec.spec;
  return features.flatMap((feature): FeatureColumn[] => {
    if ('input' in feature) {
      const text = own(request.inputs, feature.input) === 'text' && !Object.hasOwn(derived, feature.input);
      return [{ name: feature.input, kind: text ? 'text' : 'number', op: 'input', input: feature.input }];
    }
    if ('latest' in feature) {
      const maxAgeMs = durationMs(feature.maxAge);
      return feature.columns.map((column) => ({
        name: column,
        kind: 'number',
        op: 'latest',
        source: feature.latest,
        column,
        maxAgeMs,
      }));
    }
    if ('window' in feature) {
      const stem = feature.as ?? `${feature.window}_${feature.aggregate}`;
      const { against } = feature;
      return feature.over.map((over) => ({
        name: `${stem}${feature.by ? `_by_${feature.by}` : ''}_${over}${against ? `_against_${against}` : ''}`,
        kind: 'number',
        op: 'window',
        source: feature.window,
        aggregate: feature.aggregate,
        column: feature.of,
        clip: feature.clip,
        above: feature.above,
        windowMs: durationMs(over),
        againstMs: against === undefined ? undefined : durationMs(against),
        by: feature.by,
      }));
    }
    return feature.over.flatMap((over) =>
      overdueMeasures.map(([measure, label]) => ({
        name: `${label}${measure === 'overdueBy' ? `_${feature.by}` : ''}_${over}`,
        kind: 'number' as const,
        op: 'overdue' as const,
        source: feature.overdue,
        until: feature.until,
        measure,
        windowMs: durationMs(over),
        by: feature.by,
      })),
    );
  });
}

/** Names of the number columns and of the text columns, in order: the layout of rows on the wire. */
export function featureLayout(spec: ModelSpec): { numbers: string[]; texts: string[] } {
  const columns = featureColumns(spec);
  return {
    numbers: columns.filter((column) => column.kind === 'number').map((column) => column.name),
    texts: columns.filter((column) => column.kind === 'text').map((column) => column.name),
  };
}

/** The label's full name, as labeling knows it. */
export function labelName(spec: ModelSpec): string {
  return `${spec.metadata.name}.${spec.spec.label.name}`;
}

/** First instant (epoch ms) of the cohort, a day from `cohort.startsAt` UTC, that an entity's own time falls into. */
export function cohortStart(spec: ModelSpec, entityTimeMs: number): number {
  const [hours, minutes] = spec.spec.cohort.startsAt.split(':').map(Number);
  const offset = (hours * 60 + minutes) * 60_000;
  return Math.floor((entityTimeMs - offset) / 86_400_000) * 86_400_000 + offset;
}
