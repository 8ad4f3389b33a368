/**
 * The words of ONNX's protobuf: attributes, tensors, nodes, and a model of them as bytes.
 *
 * I1  The same graph has the same bytes: no wall time, no map order, no producer but ours.
 * I2  Raw tensor data is little-endian, as the format demands and as every platform of Node has it.
 */
import { type Onnx, onnx } from './proto.js';

const Kind = onnx.AttributeProto.AttributeType;

/** Element types of tensors, by ONNX's numbers. */
export const Type = { FLOAT: 1, UINT8: 2, INT64: 7, STRING: 8, DOUBLE: 11 } as const;
export type ElementType = (typeof Type)[keyof typeof Type];

/** The operator sets used: TreeEnsemble came with ai.onnx.ml 5, which onnxruntime 1.30 runs on the CPU. */
const OPSET = 17;
const ML_OPSET = 5;
const IR_VERSION = 8;

export type Attribute = Onnx.IAttributeProto;
export type Node = Onnx.INodeProto;
export type Tensor = Onnx.ITensorProto;

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const raw = (cells: Float64Array) => new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);

export const integer = (name: string, i: number): Attribute => ({ name, type: Kind.INT, i });
export const integers = (name: string, ints: readonly number[]): Attribute => ({
  name,
  type: Kind.INTS,
  ints: [...ints],
});
export const float = (name: string, f: number): Attribute => ({ name, type: Kind.FLOAT, f });
export const floats = (name: string, values: readonly number[]): Attribute => ({
  name,
  type: Kind.FLOATS,
  floats: [...values],
});
export const strings = (name: string, values: readonly string[]): Attribute => ({
  name,
  type: Kind.STRINGS,
  strings: values.map(utf8),
});
export const tensor = (name: string, t: Tensor): Attribute => ({ name, type: Kind.TENSOR, t });

export const doubles = (name: string, dims: number[], values: readonly number[]): Tensor => ({
  name,
  dims,
  dataType: Type.DOUBLE,
  rawData: raw(Float64Array.from(values)),
});
export const bytes = (name: string, values: readonly number[]): Tensor => ({
  name,
  dims: [values.length],
  dataType: Type.UINT8,
  rawData: Uint8Array.from(values),
});

/** One node; its domain is ai.onnx.ml where `ml` is said. */
export function node(
  opType: string,
  inputs: readonly string[],
  output: string,
  attribute: Attribute[] = [],
  ml?: 'ml',
): Node {
  return { opType, name: output, input: [...inputs], output: [output], attribute, domain: ml ? 'ai.onnx.ml' : '' };
}

/** A column tensor [n,1] at the graph's border. */
export interface Port {
  readonly name: string;
  readonly type: ElementType;
}

export interface GraphParts {
  readonly name: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly nodes: readonly Node[];
  readonly initializers: readonly Tensor[];
  /** Facts about the model, in key order. */
  readonly metadata: Readonly<Record<string, string>>;
}

const port = ({ name, type }: Port): Onnx.IValueInfoProto => ({
  name,
  type: { tensorType: { elemType: type, shape: { dim: [{ dimParam: 'n' }, { dimValue: 1 }] } } },
});

/** The model's bytes. */
export function encodeModel(parts: GraphParts): Uint8Array {
  const metadataProps = Object.entries(parts.metadata)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key, value }));
  const encoded = onnx.ModelProto.encode({
    irVersion: IR_VERSION,
    opsetImport: [
      { domain: '', version: OPSET },
      { domain: 'ai.onnx.ml', version: ML_OPSET },
    ],
    producerName: 'driftloop',
    metadataProps,
    graph: {
      name: parts.name,
      node: [...parts.nodes],
      initializer: [...parts.initializers],
      input: parts.inputs.map(port),
      output: parts.outputs.map(port),
    },
  }).finish();
  return Uint8Array.from(encoded);
}
