/**
 * One graph from raw features to calibrated probability: encode, sum the trees, calibrate (Platt), clip.
 *
 * I1  Same model, calibrator, spec and facts: same bytes.
 * I2  DOUBLE from the trees on: graph and trainer differ by rounding of the last sums and of exp alone.
 * I3  A constant of the graph gives way to a feature of its name, which would stand for it otherwise.
 */
import { type BoosterModel, checkModel, type PlattCalibrator } from '@driftloop/algorithms';
import type { ModelSpec } from '@driftloop/contracts';
import { constantColumn } from './constant-prior.js';
import { encodeFeatures } from './encode-features.js';
import { doubles, encodeModel, type Node, node, type Tensor } from './graph.js';
import {
  type GraphFacts,
  graphInputs,
  graphMetadata,
  graphOutputs,
  PROBABILITY,
  PROBABILITY_FLOOR,
} from './interface.js';
import { treeEnsemble } from './trees.js';

/**
 * The released model as ONNX bytes.
 * @throws MODEL_INTERFACE when the model's features are not the spec's columns; BadInput when the model is malformed.
 */
export function boosterGraph(
  model: BoosterModel,
  calibrator: PlattCalibrator,
  spec: ModelSpec,
  facts: GraphFacts = {},
): Uint8Array {
  checkModel(model);
  const encoded = encodeFeatures(spec, model.features);
  const column = (feature: number) => encoded.columnOf.get(model.features[feature].name) as number;
  const ensemble = treeEnsemble(model.trees, column, encoded.matrix, 'driftloop_trees');
  const sum = ensemble.node
    ? { nodes: [...encoded.nodes, ensemble.node], initializers: [] as Tensor[] }
    : constantColumn(graphInputs(spec)[0].name, 0, 'driftloop_trees');
  const inputs = graphInputs(spec);
  const tail = calibrated(model.baseScore + ensemble.constant, calibrator, new Set(inputs.map(({ name }) => name)));
  return encodeModel({
    name: spec.metadata.name,
    inputs,
    outputs: graphOutputs,
    nodes: [...sum.nodes, ...tail.nodes],
    initializers: [...sum.initializers, ...tail.initializers],
    metadata: graphMetadata(spec, 'boosting', facts),
  });
}

function calibrated(
  base: number,
  { a, b }: PlattCalibrator,
  taken: ReadonlySet<string>,
): { nodes: Node[]; initializers: Tensor[] } {
  const name = (constant: string) => (taken.has(constant) ? `driftloop_${constant}` : constant); // I3
  const nodes = [
    node('Add', ['driftloop_trees', name('base')], 'driftloop_score'),
    node('Mul', ['driftloop_score', name('a')], 'driftloop_sloped'),
    node('Add', ['driftloop_sloped', name('b')], 'driftloop_logit'),
    node('Sigmoid', ['driftloop_logit'], 'driftloop_sigmoid'),
    node('Clip', ['driftloop_sigmoid', name('floor'), name('ceiling')], PROBABILITY),
  ];
  const scalars = { base, a, b, floor: PROBABILITY_FLOOR, ceiling: 1 - PROBABILITY_FLOOR };
  return { nodes, initializers: Object.entries(scalars).map(([key, value]) => doubles(name(key), [], [value])) };
}
