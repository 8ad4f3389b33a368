/** The graph of version 0: before anything has been learned, every question is answered with the spec's prior. */
import type { ModelSpec } from '@driftloop/contracts';
import { doubles, encodeModel, type Node, node, type Tensor, tensor } from './graph.js';
import {
  type GraphFacts,
  graphInputs,
  graphMetadata,
  graphOutputs,
  PROBABILITY,
  PROBABILITY_FLOOR,
} from './interface.js';

/** Nodes that give a DOUBLE column of one value, as long as an input is. */
export function constantColumn(
  input: string,
  value: number,
  output: string,
): { nodes: Node[]; initializers: Tensor[] } {
  return {
    nodes: [
      node('Shape', [input], 'driftloop_shape'),
      node('ConstantOfShape', ['driftloop_shape'], output, [tensor('value', doubles('constant', [1], [value]))]),
    ],
    initializers: [],
  };
}

/** Same inputs and output as every graph of the spec; the probability is `label.prior`. Same spec, same bytes. */
export function constantPriorGraph(spec: ModelSpec, facts: GraphFacts = {}): Uint8Array {
  const inputs = graphInputs(spec);
  const prior = Math.min(1 - PROBABILITY_FLOOR, Math.max(PROBABILITY_FLOOR, spec.spec.label.prior));
  return encodeModel({
    name: spec.metadata.name,
    inputs,
    outputs: graphOutputs,
    ...constantColumn(inputs[0].name, prior, PROBABILITY),
    metadata: graphMetadata(spec, 'constant-prior', facts),
  });
}
