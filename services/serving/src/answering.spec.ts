import { inference } from '@driftloop/contracts';
import type { ServiceError } from '@grpc/grpc-js';
import { allInputs, flights, parameter, raw, tensor, World } from './testing/world.js';

describe('answering over the Open Inference Protocol', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.serve(0.25);
  });
  afterAll(() => world.close());

  const ask = <Q, R>(method: keyof inference.GRPCInferenceServiceClient, request: Q): Promise<R> =>
    new Promise((resolve, reject) => {
      const unary = world.client[method] as unknown as (q: Q, done: (error: ServiceError | null, r: R) => void) => void;
      unary.call(world.client, request, (error, reply) => (error ? reject(error) : resolve(reply)));
    });

  it('answers typed contents with typed contents', async () => {
    const reply = await world.infer({ id: 'p1', inputs: allInputs() });
    expect(reply).toMatchObject({ modelName: 'flights', modelVersion: 'v0', id: 'p1' });
    expect(reply.outputs[0]).toMatchObject({ name: 'probability', datatype: 'FP64', shape: [1, 1] });
    expect(reply.outputs[0].contents?.fp64Contents).toEqual([0.25]);
    expect(reply.rawOutputContents).toEqual([]);
    expect(reply.parameters).toEqual({ arm: parameter('champion') });
  });

  it('answers raw contents with raw contents', async () => {
    const reply = await world.infer(raw(allInputs(3)));
    expect(reply.outputs[0]).toMatchObject({ shape: [3, 1], contents: undefined });
    expect([...new Float64Array(new Uint8Array(reply.rawOutputContents[0]).buffer)]).toEqual([0.25, 0.25, 0.25]);
  });

  it('takes shape [n] and other number types for a number', async () => {
    const others = allInputs().filter(({ name }) => !['distance', 'temp', 'dewp', 'humid'].includes(name));
    const number = (name: string, datatype: string, contents: object) =>
      inference.ModelInferRequest_InferInputTensor.fromPartial({ name, datatype, shape: [1], contents });
    await world.infer({
      id: 'kinds',
      inputs: [
        ...others,
        number('distance', 'INT64', { int64Contents: [2475] }),
        number('temp', 'INT32', { intContents: [-3] }),
        number('dewp', 'FP32', { fp32Contents: [0.5] }),
        number('humid', 'FP64', { fp64Contents: [61.5] }),
      ],
    });
    await world.settled();
    const { numbers } = world.predictions.find(({ id }) => id === 'kinds')!;
    expect([numbers[0], numbers[3], numbers[4], numbers[5]]).toEqual([2475, -3, 0.5, 61.5]);
  });

  it('answers a request of many rows in the order of its rows', async () => {
    const reply = await world.infer({ id: 'many', inputs: allInputs(1000) });
    expect(reply.outputs[0].contents?.fp64Contents).toHaveLength(1000);
    await world.settled();
    const logged = world.predictions.filter(({ id }) => id.startsWith('many\u001f'));
    expect(logged.map(({ id }) => id)).toEqual(Array.from({ length: 1000 }, (_, i) => `many\u001f${i}`));
    expect(logged.map(({ entityId }) => entityId)).toEqual(Array.from({ length: 1000 }, (_, i) => `many/${i}`));
  });

  it('names the rows of a request as no other request can be', async () => {
    await world.infer({ id: 'r', inputs: allInputs(2) });
    await world.infer({ id: 'r/1', inputs: allInputs() });
    await world.settled();
    const ids = world.predictions.map(({ id }) => id).filter((id) => id.startsWith('r'));
    expect([ids.length, new Set(ids).size]).toEqual([3, 3]);
    await expect(world.infer({ id: 'r\u001f1', inputs: allInputs() })).rejects.toThrow(
      /"id": holds a control character/,
    );
  });

  it('logs each question under a repeated id, by a name of its own; the same one again has the same name', async () => {
    for (const weight of [1, 2, 2]) {
      const inputs = allInputs().map((input) => (input.name === 'distance' ? tensor('distance', weight) : input));
      await world.infer({ id: 'again', inputs });
      await world.settled();
    }
    const asked = world.predictions.filter(({ id }) => id === 'again').map(({ question }) => question);
    expect(asked[0]).toMatch(/^[0-9a-f]{16}$/);
    expect([asked.length, asked[0] === asked[1], asked[1] === asked[2]]).toEqual([3, false, true]);
    const events = await world.service.ground.bus.read('predictions.made', 0, 0, 10_000);
    const told = events.filter(({ data }) => JSON.stringify(data).includes('"again"')).map(({ id }) => id);
    expect([told.length, new Set(told).size]).toEqual([3, 2]);
  });

  it('says what the model takes, and which inputs the feature store supplies', async () => {
    const metadata = await ask<object, inference.ModelMetadataResponse>('modelMetadata', {
      name: 'flights',
      version: '',
    });
    expect(metadata).toMatchObject({ name: 'flights', versions: ['v0'], platform: 'onnxruntime_onnx' });
    expect(metadata.inputs.slice(0, 5)).toEqual([
      { name: 'carrier', datatype: 'BYTES', shape: [-1, 1] },
      { name: 'dest', datatype: 'BYTES', shape: [-1, 1] },
      { name: 'distance', datatype: 'FP64', shape: [-1, 1] },
      { name: 'flight', datatype: 'BYTES', shape: [-1, 1] },
      { name: 'sched_dep_utc', datatype: 'BYTES', shape: [-1, 1] },
    ]);
    expect(metadata.inputs).toHaveLength(64);
    expect(metadata.outputs).toEqual([{ name: 'probability', datatype: 'FP64', shape: [-1, 1] }]);
    const optional = metadata.properties.optional_inputs.split(',');
    expect(optional).toHaveLength(59);
    expect(optional).toContain('late_by_carrier_24h');
    expect(optional).not.toContain('carrier');
    expect(metadata.properties.inputs_optional_with_entity_id).toBe('carrier,dest,distance,flight,sched_dep_utc');
  });

  it('is live, and ready for the versions that it serves', async () => {
    expect(await ask('serverLive', {})).toEqual({ live: true });
    expect(await ask('serverReady', {})).toEqual({ ready: true });
    expect(await ask('serverMetadata', {})).toMatchObject({ name: 'driftloop' });
    const ready = (name: string, version: string) => ask('modelReady', { name, version });
    expect(await ready('flights', '')).toEqual({ ready: true });
    expect(await ready('flights', 'v0')).toEqual({ ready: true });
    expect(await ready('flights', 'v7')).toEqual({ ready: false });
    expect(await ready('trains', '')).toEqual({ ready: false });
  });

  it('logs a prediction with its id, entity, times, features and output', async () => {
    const parameters = { entity_id: parameter('AA1/2013-02-14') };
    await world.infer({ id: 'p2', parameters, inputs: allInputs() });
    await world.settled();
    const logged = world.predictions.find(({ id }) => id === 'p2')!;
    expect(logged).toMatchObject({ entityId: 'AA1/2013-02-14', version: 'v0', probability: 0.25, arm: 'ARM_CHAMPION' });
    expect(logged).toMatchObject({ shadows: [], imputed: [], error: '', texts: ['AA', 'LAX'] });
    expect(logged.numbers.slice(0, 3)).toEqual([2475, 0.5, 1.5]);
    expect(logged.entityTime).toEqual(new Date('2013-02-14T10:00:00Z'));
    const batch = world.batches.find(({ predictions }) => predictions.some(({ id }) => id === 'p2'))!;
    expect(batch).toMatchObject({ tenant: 'main', model: 'flights', replica: 'embedded', dropped: 0 });
    expect(batch.numberFeatures.slice(0, 3)).toEqual(['distance', 'minute_of_day', 'day_of_week']);
  });

  it('gives a request without an id one of its own, and a repeated id the same prediction', async () => {
    const { id } = await world.infer({ inputs: allInputs() });
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    const replies = await Promise.all([1, 2].map(() => world.infer({ id: 'again', inputs: allInputs() })));
    expect(replies.map((reply) => reply.outputs[0].contents?.fp64Contents)).toEqual([[0.25], [0.25]]);
    await world.settled();
    const logged = world.predictions.filter((prediction) => prediction.id === 'again');
    expect(new Set(logged.map(({ entityId }) => entityId)).size).toBe(1);
  });

  it('flags what a caller sends as missing', async () => {
    const others = allInputs().filter(({ name }) => name !== 'temp' && name !== 'dest');
    const inputs = [...others, tensor('temp', Number.NaN), tensor('dest', '')];
    const reply = await world.infer({ inputs });
    expect(reply.parameters.imputed).toEqual(parameter('temp,dest'));
  });

  it('answers by a version or alias that is named, and does not log that', async () => {
    for (const modelVersion of ['v0', 'champion']) {
      const reply = await world.infer({ id: `look-${modelVersion}`, modelVersion, inputs: allInputs() });
      expect(reply.modelVersion).toBe('v0');
    }
    await world.settled();
    expect(world.predictions.some(({ id }) => id.startsWith('look-'))).toBe(false);
  });

  it('ends a call at its deadline', async () => {
    const late = await world.refused({ inputs: allInputs(1000) }, { deadlineMs: 0 });
    expect(late.status).toBe(4);
  });
});

describe('an answer after the model changed', () => {
  it('goes on with a new revision of the spec, and refuses one with other columns', async () => {
    const world = await World.open();
    try {
      await world.serve(0.25);
      const renamed = structuredClone(flights);
      renamed.metadata.description = 'said better';
      await world.declare(2, renamed);
      const fewer = structuredClone(flights);
      fewer.spec.features.pop();
      await world.declare(3, fewer);
      await world.settled();
      const { dead } = await deadOf(world);
      expect(dead).toEqual(['COLUMNS_CHANGED']);
      expect((await world.infer({ inputs: allInputs() })).outputs[0].contents?.fp64Contents).toEqual([0.25]);
    } finally {
      await world.close();
    }
  });
});

async function deadOf(world: World): Promise<{ dead: (string | undefined)[] }> {
  const letters = await world.service.ground.bus.dead('serving.when-model-declared.embedded');
  return { dead: letters.map(({ error }) => error.code) };
}
