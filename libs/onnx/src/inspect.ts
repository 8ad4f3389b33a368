/**
 * A look into ONNX bytes before anybody runs them.
 *
 * I1  Refused: above the size cap, not decodable, data outside the file, operators outside ai.onnx and ai.onnx.ml, and
 *     functions of the model's own; nested graphs are looked into as well.
 */
import type { ModelSpec } from '@driftloop/contracts';
import { onnxErrors } from './errors.js';
import { Type } from './graph.js';
import { graphInputs, graphOutputs } from './interface.js';
import { type Onnx, onnx } from './proto.js';

type Graph = Onnx.IGraphProto;
type Tensor = Onnx.ITensorProto;

/** Greatest size of a graph in bytes. */
export const GRAPH_LIMIT = 64 * 1024 * 1024;
const DOMAINS = new Set(['', 'ai.onnx', 'ai.onnx.ml']);
const EXTERNAL = onnx.TensorProto.DataLocation.EXTERNAL;
const DEEPEST = 16;

/** One tensor of the border. `datatype` as the Open Inference Protocol names it; -1 stands for any length. */
export interface GraphTensor {
  readonly name: string;
  readonly datatype: 'FP64' | 'FP32' | 'BYTES' | 'INT64' | 'UINT8' | 'OTHER';
  readonly shape: readonly number[];
}

export interface GraphInfo {
  readonly bytes: number;
  readonly inputs: readonly GraphTensor[];
  readonly outputs: readonly GraphTensor[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly operators: readonly string[];
}

/** Checks the bytes and says what is inside. Throws GRAPH_TOO_LARGE, GRAPH_CORRUPT, GRAPH_EXTERNAL_DATA or GRAPH_CUSTOM_OPERATOR. */
export function inspectGraph(bytes: Uint8Array, limits: { maxBytes?: number } = {}): GraphInfo {
  const limit = limits.maxBytes ?? GRAPH_LIMIT;
  if (bytes.byteLength > limit) throw onnxErrors.GRAPH_TOO_LARGE({ bytes: bytes.byteLength, limit });
  const model = decode(bytes);
  for (const own of model.functions ?? [])
    throw onnxErrors.GRAPH_CUSTOM_OPERATOR({ domain: own.domain ?? '', operator: `function ${own.name}` });
  const operators = new Set<string>();
  checkGraph(model.graph as Graph, operators, 0);
  return {
    bytes: bytes.byteLength,
    inputs: (model.graph?.input ?? []).map(describe),
    outputs: (model.graph?.output ?? []).map(describe),
    metadata: Object.fromEntries((model.metadataProps ?? []).map((p) => [p.key ?? '', p.value ?? ''])),
    operators: [...operators].sort(),
  };
}

/** Checks that a graph takes the spec's columns and gives the probability. Throws GRAPH_INTERFACE. */
export function checkInterface(info: GraphInfo, spec: ModelSpec): void {
  const compare = (found: readonly GraphTensor[], expected: readonly { name: string; type: number }[]) => {
    for (const { name, type } of expected) {
      const tensor = found.find((t) => t.name === name);
      const wanted = datatypeOf(type);
      if (tensor?.datatype !== wanted)
        throw onnxErrors.GRAPH_INTERFACE({ tensor: name, expected: wanted, found: tensor?.datatype ?? 'not there' });
    }
    const surplus = found.find((t) => !expected.some((e) => e.name === t.name));
    if (surplus) throw onnxErrors.GRAPH_INTERFACE({ tensor: surplus.name, expected: 'nothing', found: 'there' });
  };
  compare(info.inputs, graphInputs(spec));
  compare(info.outputs, graphOutputs);
}

function decode(bytes: Uint8Array): Onnx.ModelProto {
  let model: Onnx.ModelProto;
  try {
    model = onnx.ModelProto.decode(bytes);
  } catch (error) {
    throw onnxErrors.GRAPH_CORRUPT({ found: (error as Error).message });
  }
  if (!model.graph?.node?.length) throw onnxErrors.GRAPH_CORRUPT({ found: 'it has no nodes' });
  return model;
}

function checkGraph(graph: Graph, operators: Set<string>, depth: number): void {
  if (depth > DEEPEST) throw onnxErrors.GRAPH_CORRUPT({ found: `graphs nested deeper than ${DEEPEST}` });
  graph.initializer?.forEach(checkTensor);
  for (const sparse of graph.sparseInitializer ?? []) checkSparse(sparse);
  for (const node of graph.node ?? []) {
    const domain = node.domain ?? '';
    const operator = node.opType ?? '';
    if (!DOMAINS.has(domain)) throw onnxErrors.GRAPH_CUSTOM_OPERATOR({ domain, operator });
    operators.add(operator);
    for (const attribute of node.attribute ?? []) {
      for (const t of [attribute.t, ...(attribute.tensors ?? [])]) if (t) checkTensor(t);
      for (const t of [attribute.sparseTensor, ...(attribute.sparseTensors ?? [])]) if (t) checkSparse(t);
      for (const g of [attribute.g, ...(attribute.graphs ?? [])]) if (g) checkGraph(g, operators, depth + 1);
    }
  }
}

function checkSparse(sparse: Onnx.ISparseTensorProto): void {
  for (const t of [sparse.values, sparse.indices]) if (t) checkTensor(t);
}

function checkTensor(tensor: Tensor): void {
  if (tensor.dataLocation === EXTERNAL || tensor.externalData?.length)
    throw onnxErrors.GRAPH_EXTERNAL_DATA({ tensor: tensor.name ?? '' });
}

function datatypeOf(type: number): GraphTensor['datatype'] {
  if (type === Type.DOUBLE) return 'FP64';
  if (type === Type.FLOAT) return 'FP32';
  if (type === Type.STRING) return 'BYTES';
  if (type === Type.INT64) return 'INT64';
  return type === Type.UINT8 ? 'UINT8' : 'OTHER';
}

function describe(info: Onnx.IValueInfoProto): GraphTensor {
  const tensor = info.type?.tensorType;
  const shape = (tensor?.shape?.dim ?? []).map((d) => (d.dimValue ? Number(d.dimValue) : -1));
  return { name: info.name ?? '', datatype: datatypeOf(tensor?.elemType ?? 0), shape };
}
