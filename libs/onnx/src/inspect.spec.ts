import { readFileSync } from 'node:fs';
import { type ModelSpec, parseModelSpec } from '@driftloop/contracts';
import { checkInterface, constantPriorGraph, inspectGraph } from './index.js';
import { type Onnx, onnx } from './proto.js';
import { runGraph } from './testing/run-graph.js';

const flights = parseModelSpec(readFileSync('examples/flights/model.yaml', 'utf8'));
const withPrior = (prior: number): ModelSpec => {
  const spec = structuredClone(flights);
  spec.spec.label.prior = prior;
  return spec;
};
type Model = Onnx.IModelProto;
const altered = (change: (model: Model) => void): Uint8Array => {
  const model = onnx.ModelProto.decode(constantPriorGraph(flights));
  change(model);
  return onnx.ModelProto.encode(model).finish();
};

describe('the constant-prior graph', () => {
  it('answers every row of a batch with the prior, whatever is missing', async () => {
    const bytes = constantPriorGraph(flights);
    const feeds = Object.fromEntries(
      inspectGraph(bytes).inputs.map(({ name, datatype }) => [
        name,
        datatype === 'BYTES' ? ['AA', '', 'ZZ'] : [1, Number.NaN, -1e300],
      ]),
    );
    const { probability } = await runGraph(bytes, feeds);
    expect(probability).toEqual({ dims: [3, 1], data: [0.25, 0.25, 0.25] });
  });

  it('has the same bytes for the same spec and others for another prior', () => {
    expect(constantPriorGraph(flights)).toEqual(constantPriorGraph(structuredClone(flights)));
    expect(constantPriorGraph(withPrior(0.3))).not.toEqual(constantPriorGraph(flights));
  });

  it('keeps a prior of 0 or 1 away from certainty', () => {
    for (const [prior, expected] of [
      [0, 1e-6],
      [1, 1 - 1e-6],
    ]) {
      const model = onnx.ModelProto.decode(constantPriorGraph(withPrior(prior)));
      const value = model.graph?.node?.[1].attribute?.[0].t?.rawData as Uint8Array;
      expect(new DataView(value.buffer, value.byteOffset).getFloat64(0, true)).toBe(expected);
    }
  });
});

describe('inspectGraph', () => {
  it('lists inputs by feature column, the probability, and the facts', () => {
    const info = inspectGraph(constantPriorGraph(flights, { codeVersion: '9.9.9' }));
    expect(info.inputs).toHaveLength(62);
    expect(info.inputs[0]).toEqual({ name: 'carrier', datatype: 'BYTES', shape: [-1, 1] });
    expect(info.inputs[2]).toEqual({ name: 'distance', datatype: 'FP64', shape: [-1, 1] });
    expect(info.outputs).toEqual([{ name: 'probability', datatype: 'FP64', shape: [-1, 1] }]);
    expect(info.metadata).toMatchObject({ model: 'flights', recipe: 'constant-prior', code_version: '9.9.9' });
    expect(() => checkInterface(info, flights)).not.toThrow();
  });

  it.each<[string, string, Uint8Array, object]>([
    ['too large', 'GRAPH_TOO_LARGE', new Uint8Array(101), { maxBytes: 100 }],
    ['empty', 'GRAPH_CORRUPT', new Uint8Array(0), {}],
    ['no protobuf', 'GRAPH_CORRUPT', new TextEncoder().encode('not a graph at all'), {}],
    ['cut off', 'GRAPH_CORRUPT', constantPriorGraph(flights).subarray(0, 500), {}],
    [
      'of external data',
      'GRAPH_EXTERNAL_DATA',
      altered((m) => {
        m.graph?.initializer?.push({ name: 'weights', dataLocation: onnx.TensorProto.DataLocation.EXTERNAL });
      }),
      {},
    ],
    [
      'of external data in a nested graph',
      'GRAPH_EXTERNAL_DATA',
      altered((m) => {
        const g = { initializer: [{ name: 'w', externalData: [{ key: 'location', value: '/etc/passwd' }] }] };
        m.graph?.node?.push({ opType: 'If', attribute: [{ name: 'then_branch', g }] });
      }),
      {},
    ],
    [
      'of a custom operator',
      'GRAPH_CUSTOM_OPERATOR',
      altered((m) => {
        m.graph?.node?.push({ opType: 'Shell', domain: 'com.example' });
      }),
      {},
    ],
    [
      'of its own functions',
      'GRAPH_CUSTOM_OPERATOR',
      altered((m) => {
        m.functions = [{ name: 'f', domain: 'mine' }];
      }),
      {},
    ],
  ])('refuses bytes that are %s', (_what, code, bytes, limits) => {
    expect(() => inspectGraph(bytes, limits)).toThrow(expect.objectContaining({ code }));
  });

  it('refuses a graph whose border is not the spec’s', () => {
    const info = inspectGraph(constantPriorGraph(flights));
    const fewer = structuredClone(flights);
    fewer.spec.features.pop();
    const more = structuredClone(flights);
    more.spec.features.push({ input: 'sched_hour' });
    for (const spec of [fewer, more])
      expect(() => checkInterface(info, spec)).toThrow(expect.objectContaining({ code: 'GRAPH_INTERFACE' }));
  });
});
