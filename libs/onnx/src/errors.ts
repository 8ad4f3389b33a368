/** What can be wrong with a graph: each error says what was found and what to do. */
import { catalogue } from '@driftloop/contracts';

export const onnxErrors = catalogue('onnx', {
  GRAPH_TOO_LARGE: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (f: { bytes: number; limit: number }) =>
      `the ONNX graph has ${f.bytes} bytes, above the limit of ${f.limit}; train fewer or smaller trees`,
  },
  GRAPH_CORRUPT: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (f: { found: string }) => `not an ONNX graph: ${f.found}; upload the bytes as the exporter wrote them`,
  },
  GRAPH_EXTERNAL_DATA: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (f: { tensor: string }) =>
      `tensor "${f.tensor}" lies outside the graph; export it with its data inside the file`,
  },
  GRAPH_CUSTOM_OPERATOR: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (f: { domain: string; operator: string }) =>
      `operator ${f.operator} of domain "${f.domain}" is not allowed; use operators of ai.onnx and ai.onnx.ml only`,
  },
  GRAPH_INTERFACE: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (f: { tensor: string; expected: string; found: string }) =>
      `the graph's "${f.tensor}" is ${f.found} and the spec asks for ${f.expected}; export it for this spec`,
  },
  MODEL_INTERFACE: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (f: { feature: string; expected: string; found: string }) =>
      `the model's feature "${f.feature}" is ${f.found} and the spec has ${f.expected}; train on the spec's own columns`,
  },
});
