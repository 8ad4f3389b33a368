import { inference } from '@driftloop/contracts';
import { Metadata } from '@grpc/grpc-js';
import { allInputs, flights, graphOf, parameter, tensor, World } from './spec/world.js';

describe('answering over the Open Inference Protocol', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.serve(0.25);
  });
  afterAll(() => world.close());

  it('answers typed contents with typed contents', async () => {
    const reply = await world.infer({ id: 'p1', inputs: allInputs() });
    expect(reply).toMatchObject({ modelName: 'flights', modelVersion: 'v0', id: 'p1' });
    expect(reply.outputs[0]).toMatchObject({ name: 'probability', datatype: 'FP64', shape: [1, 1] });
    expect(reply.outputs[0].contents?.fp64Contents).toEqual([0.25]);
    expect(reply.rawOutputContents).toEqual([]);
    expect(reply.parameters).toEqual({ arm: parameter('champion') });
  });
});
