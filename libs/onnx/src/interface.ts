/**
 * The border of every model graph: one [n,1] tensor a feature column in, one probability out.
 *
 * Numbers are DOUBLE (NaN is missing), texts STRING (the empty text is missing); the probability is DOUBLE.
 */
import { canonicalSpec, featureColumns, type ModelSpec } from '@driftloop/contracts';
import { type Port, Type } from './graph.js';

/** Name of the output tensor [n,1]. */
export const PROBABILITY = 'probability';
/** Probabilities stay inside [floor, 1 − floor], so that no single row's log loss is unbounded. */
export const PROBABILITY_FLOOR = 1e-6;

/** What a graph says about itself. All deterministic: no wall times. */
export interface GraphFacts {
  /** Version of the code that trained it. */
  readonly codeVersion?: string;
  /** E.g. "boosting" or "constant-prior". */
  readonly recipe?: string;
}

/** The graph's inputs for a spec, in the order of its feature columns. */
export function graphInputs(spec: ModelSpec): Port[] {
  return featureColumns(spec).map(({ name, kind }) => ({ name, type: kind === 'text' ? Type.STRING : Type.DOUBLE }));
}

export const graphOutputs: readonly Port[] = [{ name: PROBABILITY, type: Type.DOUBLE }];

/** The metadata of a graph for a spec. */
export function graphMetadata(spec: ModelSpec, recipe: string, facts: GraphFacts): Record<string, string> {
  return {
    model: spec.metadata.name,
    recipe: facts.recipe ?? recipe,
    spec_sha256: canonicalSpec(spec).sha256,
    code_version: facts.codeVersion ?? '',
  };
}
