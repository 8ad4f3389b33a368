/** ONNX's protobuf messages; the package is CommonJS, so that its names come with the default. */
import onnxProto from 'onnx-proto';

export const { onnx } = onnxProto;

export type { onnx as Onnx } from 'onnx-proto';
