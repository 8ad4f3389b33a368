import { inference } from '@driftloop/contracts';
import { Readiness } from '@driftloop/service';
import { status } from '@grpc/grpc-js';
import { FeatureStoreStandIn } from './testing/stand-ins.js';
import { allInputs, flights, ownInputs, parameter, raw, tensor, World } from './testing/world.js';

type Request = Partial<inference.ModelInferRequest>;
type Tensor = inference.ModelInferRequest_InferInputTensor;

const but = (name: string, change: Partial<Tensor>): Request => ({
  inputs: allInputs().map((input) => (input.name === name ? { ...input, ...change } : input)),
});
const rawBut = (name: string, contents: Buffer): Request => {
  const request = raw(allInputs());
  const at = request.inputs!.findIndex((input) => input.name === name);
  return { ...request, rawInputContents: request.rawInputContents!.with(at, contents) };
};
/** BYTES contents of one row, typed and raw. */
const bytes = (name: string, text: Buffer): Request[] => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return [
    but(name, { contents: { ...tensor(name, '').contents!, bytesContents: [text] } }),
    rawBut(name, Buffer.concat([length, text])),
  ];
};
/** Texts that an engine would cut or change, as bytes. */
const broken: [string, Buffer][] = [
  ['a NUL in it', Buffer.from('AA\0x')],
  ['a NUL at its end', Buffer.from('AA\0')],
  ['a lone FF', Buffer.from([65, 65, 255])],
  ['half of a surrogate pair', Buffer.from([0xed, 0xa0, 0x80])],
];
/** 2^53 + 1, which no number of JavaScript is; the encoder takes it. */
const wide = [2n ** 53n + 1n] as unknown as number[];
const retyped = (name: string, datatype: string): Request => ({
  inputs: raw(allInputs()).inputs!.map((input) => (input.name === name ? { ...input, datatype } : input)),
});
const fp32 = { datatype: 'FP32' };
const asked = (parameters: Record<string, string>): Request => ({
  inputs: allInputs(),
  parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, parameter(value)])),
});

const cases: [string, Request, keyof typeof status, string, RegExp][] = [
  ['an unknown model', { modelName: 'trains' }, 'NOT_FOUND', 'UNKNOWN_MODEL', /served: flights.*driftloop apply/],
  ['no model', { modelName: '' }, 'NOT_FOUND', 'UNKNOWN_MODEL', /served: flights/],
  [
    'an unknown version',
    { modelVersion: 'v9', inputs: allInputs() },
    'NOT_FOUND',
    'UNKNOWN_VERSION',
    /served: v0, champion \(or leave the version out\)/,
  ],
  [
    'an unknown output',
    { inputs: allInputs(), outputs: [{ name: 'label', parameters: {} }] },
    'INVALID_ARGUMENT',
    'UNKNOWN_OUTPUT',
    /gives "probability"/,
  ],
  ['a wrong tensor name', but('temp', { name: 'tmp' }), 'INVALID_ARGUMENT', 'UNKNOWN_INPUT', /takes carrier, dest/],
  [
    'an input that is missing',
    { inputs: allInputs().filter(({ name }) => name !== 'dest') },
    'INVALID_ARGUMENT',
    'MISSING_INPUT',
    /"dest".*entity_id/,
  ],
  ['no inputs', { inputs: [] }, 'INVALID_ARGUMENT', 'MISSING_INPUT', /"carrier"/],
  [
    'an input twice',
    { inputs: [...allInputs(), tensor('temp', 1)] },
    'INVALID_ARGUMENT',
    'WRONG_CONTENTS',
    /"temp": sent twice; send it once/,
  ],
  ['a text for a number', but('temp', { datatype: 'BYTES' }), 'INVALID_ARGUMENT', 'WRONG_DATATYPE', /send FP64/],
  ['a number for a text', but('dest', { datatype: 'FP64' }), 'INVALID_ARGUMENT', 'WRONG_DATATYPE', /send BYTES/],
  ['no datatype', but('dest', { datatype: '' }), 'INVALID_ARGUMENT', 'WRONG_DATATYPE', /\(none\); send BYTES/],
  ['no shape', but('temp', { shape: [] }), 'INVALID_ARGUMENT', 'WRONG_SHAPE', /shape \[\]; send \[n,1\]/],
  ['no rows', but('temp', { shape: [0, 1] }), 'INVALID_ARGUMENT', 'WRONG_SHAPE', /\[0,1\]/],
  ['a negative shape', but('temp', { shape: [-1, 1] }), 'INVALID_ARGUMENT', 'WRONG_SHAPE', /\[-1,1\]/],
  ['a row for a column', but('temp', { shape: [1, 2] }), 'INVALID_ARGUMENT', 'WRONG_SHAPE', /\[1,2\]/],
  ['three dimensions', but('temp', { shape: [1, 1, 1] }), 'INVALID_ARGUMENT', 'WRONG_SHAPE', /\[1,1,1\]/],
  ['columns of unequal length', but('temp', { shape: [2, 1] }), 'INVALID_ARGUMENT', 'WRONG_SHAPE', /like the other/],
  ['too many rows', { inputs: ownInputs(1001) }, 'RESOURCE_EXHAUSTED', 'TOO_MANY_ROWS', /at most 1000/],
  ['contents in another field', but('temp', fp32), 'INVALID_ARGUMENT', 'WRONG_CONTENTS', /the contents hold 0/],
  ['no contents', but('dest', { contents: undefined }), 'INVALID_ARGUMENT', 'WRONG_CONTENTS', /the contents hold 0/],
  [
    'fewer raw contents than inputs',
    { ...raw(allInputs()), rawInputContents: [] as Buffer[], inputs: raw(allInputs()).inputs },
    'INVALID_ARGUMENT',
    'WRONG_CONTENTS',
    /the contents hold 0/,
  ],
  [
    'more raw contents than inputs',
    { ...raw(allInputs()), rawInputContents: [Buffer.alloc(8)] },
    'INVALID_ARGUMENT',
    'WRONG_CONTENTS',
    /64 inputs but 1 raw contents; send one for each/,
  ],
  ['half a raw number', rawBut('temp', Buffer.alloc(12)), 'INVALID_ARGUMENT', 'WRONG_CONTENTS', /8 bytes a row/],
  ['two raw numbers', rawBut('temp', Buffer.alloc(16)), 'INVALID_ARGUMENT', 'WRONG_CONTENTS', /hold 2/],
  ['a raw text cut off', rawBut('dest', Buffer.from([9, 0, 0, 0, 65])), 'INVALID_ARGUMENT', 'WRONG_CONTENTS', /middle/],
  ['raw bytes too few for a length', rawBut('dest', Buffer.from([1])), 'INVALID_ARGUMENT', 'WRONG_CONTENTS', /middle/],
  ['many empty raw texts', rawBut('dest', Buffer.alloc(4_000_000)), 'INVALID_ARGUMENT', 'WRONG_CONTENTS', /hold 2/],
  [
    'a text too long',
    { inputs: allInputs().map((input) => (input.name === 'dest' ? tensor('dest', 'x'.repeat(1001)) : input)) },
    'INVALID_ARGUMENT',
    'WRONG_CONTENTS',
    /at most 1000/,
  ],
  ...['yesterday', '2013-02-14', '2013-02-14T10:00:00', '2013-02-14T25:00:00Z'].map((time): (typeof cases)[number] => [
    `a time "${time}"`,
    { inputs: allInputs().map((input) => (input.name === 'sched_dep_utc' ? tensor('sched_dep_utc', time) : input)) },
    'INVALID_ARGUMENT',
    'WRONG_CONTENTS',
    /is not a time; send RFC 3339/,
  ]),
  [
    'a whole number beyond doubles',
    but('distance', {
      datatype: 'INT64',
      contents: { ...tensor('x', 1).contents!, fp64Contents: [], int64Contents: wide },
    }),
    'INVALID_ARGUMENT',
    'FIELD_UNREADABLE',
    /inputs\[3\] \("distance"\)\.contents\.int64_contents\[0\] is 9007199254740993; send a whole number from -/,
  ],
  [
    'a raw whole number beyond doubles',
    { ...rawBut('distance', Buffer.from(BigInt64Array.of(2n ** 53n + 1n).buffer)), ...retyped('distance', 'INT64') },
    'INVALID_ARGUMENT',
    'WRONG_CONTENTS',
    /"distance": row 0 is beyond ±9007199254740991/,
  ],
  ...[Number.POSITIVE_INFINITY, -3.5e38].map((x): (typeof cases)[number] => [
    `the number ${x}`,
    but('temp', { contents: tensor('temp', x).contents }),
    'INVALID_ARGUMENT',
    'WRONG_CONTENTS',
    /"temp": row 0 is -?(Infinity|3.5e\+38); send a number within ±3.4e\+38/,
  ]),
  [
    'a shape beyond doubles',
    but('temp', { shape: wide }),
    'INVALID_ARGUMENT',
    'FIELD_UNREADABLE',
    /\("temp"\)\.shape\[0\] is 9007199254740993/,
  ],
  [
    'a parameter that nobody reads beyond doubles',
    { inputs: allInputs(), parameters: { seed: { parameterChoice: { $case: 'uint64Param', value: wide[0] } } } },
    'INVALID_ARGUMENT',
    'FIELD_UNREADABLE',
    /parameters\["seed"\]\.uint64_param is 9007199254740993/,
  ],
  ...broken.flatMap(([what, text]) =>
    bytes('carrier', text).map((request, i): (typeof cases)[number] => [
      `${i ? 'a raw' : 'a typed'} text with ${what}`,
      request,
      'INVALID_ARGUMENT',
      'WRONG_CONTENTS',
      /"carrier": the text of row 0 cannot be kept as it is; send text in UTF-8 without NUL/,
    ]),
  ),
  ['an id with a NUL in it', { id: 'a\0b', inputs: allInputs() }, 'INVALID_ARGUMENT', 'WRONG_PARAMETER', /"id".*NUL/],
  [
    'an entity with a NUL in it',
    asked({ entity_id: 'a\0b' }),
    'INVALID_ARGUMENT',
    'WRONG_PARAMETER',
    /"entity_id".*NUL/,
  ],
  [
    'an event time without the replay credential',
    asked({ event_time: '2013-02-14T10:00:00Z' }),
    'PERMISSION_DENIED',
    'EVENT_TIME_FORBIDDEN',
    /replay credential/,
  ],
  [
    'an id too long',
    { id: 'x'.repeat(257), inputs: allInputs() },
    'INVALID_ARGUMENT',
    'WRONG_PARAMETER',
    /at most 256/,
  ],
  ['an entity too long', asked({ entity_id: 'x'.repeat(257) }), 'INVALID_ARGUMENT', 'WRONG_PARAMETER', /at most 256/],
  [
    'an entity that is no string',
    { inputs: allInputs(), parameters: { entity_id: { parameterChoice: { $case: 'int64Param', value: 3 } } } },
    'INVALID_ARGUMENT',
    'WRONG_PARAMETER',
    /send a string_param/,
  ],
  [
    'one entity for two rows',
    { ...asked({ entity_id: 'e' }), inputs: allInputs(2) },
    'INVALID_ARGUMENT',
    'WRONG_PARAMETER',
    /one request an entity/,
  ],
  [
    'an unknown entity',
    { inputs: [], parameters: { entity_id: parameter('nobody') } },
    'NOT_FOUND',
    'UNKNOWN_ENTITY',
    /send its inputs with the request: carrier, dest, distance, flight, sched_dep_utc/,
  ],
];

describe('bad input', () => {
  let store: FeatureStoreStandIn;
  let world: World;
  beforeAll(async () => {
    store = await FeatureStoreStandIn.open();
    world = await World.open({ environment: { DRIFTLOOP_FEATURE_STORE_ADDRESS: store.address } });
    await world.serve();
  });
  afterAll(async () => {
    await world.close();
    store.close();
  });

  it.each(cases)('refuses %s', async (_what, request, name, code, advice) => {
    const refusal = await world.refusedInTheEnd(request);
    expect(refusal).toMatchObject({ status: status[name], code, retriable: false });
    expect(refusal.message).toMatch(advice);
  });

  it('refuses a time of a replay that is none', async () => {
    const refusal = await world.refused(asked({ event_time: 'soon' }), { asReplay: true });
    expect(refusal).toMatchObject({ code: 'WRONG_PARAMETER' });
    expect(refusal.message).toMatch(/RFC 3339/);
  });

  it('refuses a message over 16 MiB with the limit', async () => {
    const refusal = await world.refused(rawBut('dest', Buffer.alloc(17 * 1024 * 1024)));
    expect(refusal.status).toBe(status.RESOURCE_EXHAUSTED);
    expect(refusal.message).toMatch(/at most 16777216 bytes/);
  });

  it('refuses a model that is declared and not loaded, as something to try again, and stays ready for the others', async () => {
    const spec = structuredClone(flights);
    spec.metadata.name = 'arrivals';
    await world.declare(1, spec);
    await world.settled();
    const refusal = await world.refused({ modelName: 'arrivals', inputs: allInputs() });
    expect(refusal).toMatchObject({ status: status.UNAVAILABLE, code: 'NOT_READY', retriable: true });
    expect(world.service.reasons()).toEqual([]);
    expect(world.service.app.get(Readiness).attention.join()).toMatch(/arrivals.*no version of it is loaded/);
  });

  it('loses nothing: it answers and logs as before', async () => {
    expect((await world.infer({ id: 'after', inputs: allInputs() })).outputs).toHaveLength(1);
    await world.settled();
    expect(world.predictions.map(({ id }) => id)).toEqual(['after']);
  });
});
