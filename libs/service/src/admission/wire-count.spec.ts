import { FeatureStoreService, inference, LabelingService, requestShape } from '@driftloop/contracts';
import { countWire } from './wire-count.js';

const most = { messages: 1000, values: 10_000 };
const outcomes = '/driftloop.v1.Labeling/RecordOutcomes';
const count = (path: string, bytes: Uint8Array, limits = most) => {
  const { messages, values } = countWire(path, bytes, requestShape(path)!, limits);
  return { messages, values };
};

it('knows what every method of ours is asked with', () => {
  for (const definition of [LabelingService, FeatureStoreService, inference.GRPCInferenceServiceService])
    for (const { path } of Object.values(definition))
      expect([path, requestShape(path)]).toEqual([path, expect.anything()]);
});

it('counts messages in messages, entries of maps and each packed number', () => {
  const path = '/inference.GRPCInferenceService/ModelInfer';
  const request = inference.ModelInferRequest.fromPartial({
    modelName: 'm',
    inputs: [{ name: 'x', datatype: 'FP64', shape: [3, 1], contents: { fp64Contents: [1, 2, 3] } }],
    parameters: { entity_id: { parameterChoice: { $case: 'stringParam', value: 'e' } } },
  });
  // Messages: the input, its contents, the entry, its value. Values: 11 fields, 2 numbers of the shape, 3 of the contents.
  expect(count(path, inference.ModelInferRequest.encode(request).finish())).toEqual({ messages: 4, values: 16 });
});

it('ends at the first message too many, whatever follows', () => {
  const bytes = Buffer.concat([Buffer.alloc(2 * 1001, Buffer.from([0x12, 0x00])), Buffer.from([0xff])]);
  expect(() => count(outcomes, bytes)).toThrow(/at most 1000 messages/);
});

it('ends at the first packed number too many', () => {
  const numbers = Buffer.alloc(10_001, 1);
  const contents = Buffer.concat([Buffer.from([0x12, 0x91, 0x4e]), numbers]);
  const input = Buffer.concat([Buffer.from([0x2a, 0x94, 0x4e]), contents]);
  const bytes = Buffer.concat([Buffer.from([0x2a, 0x97, 0x4e]), input]);
  expect(() => count('/inference.GRPCInferenceService/ModelInfer', bytes)).toThrow(/at most 10000 values/);
});

it.each([
  ['a length beyond its end', [0x12, 0x05, 0x00]],
  ['a length beyond what holds it', [0x12, 0x02, 0x0a, 0x05, 0x61, 0x61, 0x61]],
  ['a number without end', [0x08, ...Array(11).fill(0xff)]],
  ['a wire type that is none', [0x0f]],
  ['a field without a number', [0x02, 0x00]],
])('refuses %s', (_, bytes) => {
  expect(() => count(outcomes, Buffer.from(bytes))).toThrow(/what is no message/);
});
