import { status } from '@grpc/grpc-js';
import { FeatureStoreStandIn } from './testing/stand-ins.js';
import { allInputs, ownInputs, parameter, tensor, World } from './testing/world.js';

describe('features from the store', () => {
  let store: FeatureStoreStandIn;
  let world: World;
  beforeEach(async () => {
    store = await FeatureStoreStandIn.open();
    world = await World.open({ environment: { DRIFTLOOP_FEATURE_STORE_ADDRESS: store.address } });
    await world.serve();
    // Until a store has answered once, calls wait for it to come up.
    await world.infer({ modelVersion: 'champion', inputs: ownInputs() });
    store.asked.splice(0);
  });
  afterEach(async () => {
    await world.close();
    store.close();
  });

  const logged = async (id: string) => {
    await world.settled();
    return world.predictions.find((prediction) => prediction.id === id)!;
  };
  const eventTime = { event_time: parameter('2013-02-14T09:00:00Z') };

  it('completes what the caller did not send, and flags what the store does not have', async () => {
    const reply = await world.infer({ id: 'p', inputs: [...ownInputs(), tensor('humid', 55)] });
    expect(reply.parameters.imputed).toEqual(parameter('wind_gust'));
    const { numbers, texts, imputed } = await logged('p');
    expect(imputed).toEqual(['wind_gust']);
    // distance and humid are the caller's, temp and minute_of_day the store's.
    expect([numbers[0], numbers[1], numbers[3], numbers[5]]).toEqual([2475, 7, 3, 55]);
    expect(texts).toEqual(['AA', 'LAX']);
  });

  it('asks for the entity, with the inputs that it was sent and the time of the question', async () => {
    const parameters = { entity_id: parameter('AA1'), ...eventTime };
    await world.infer({ inputs: ownInputs(), parameters }, { asReplay: true });
    const [{ model, questions }] = store.asked;
    expect(model).toBe('flights');
    expect(questions[0]).toMatchObject({ entityId: 'AA1', eventTime: new Date('2013-02-14T09:00:00Z') });
    expect(questions[0].inputs).toMatchObject({
      carrier: { kind: { $case: 'text', value: 'AA' } },
      distance: { kind: { $case: 'number', value: 2475 } },
      sched_dep_utc: { kind: { $case: 'time', value: new Date('2013-02-14T10:00:00Z') } },
    });
  });

  it('does not ask when every feature is sent', async () => {
    await world.infer({ inputs: allInputs() });
    expect(store.asked).toEqual([]);
  });

  it('knows an entity by its key alone', async () => {
    await world.infer({ id: 'known', inputs: [], parameters: { entity_id: parameter('AA1') } });
    const { entityTime, texts } = await logged('known');
    expect(entityTime).toEqual(new Date('2013-02-14T11:00:00Z'));
    expect(texts).toEqual(['seven', 'seven']);
  });

  it('answers an entity alone with raw contents, little-endian, one for its output, as clients of Triton read them', async () => {
    const { outputs, rawOutputContents } = await world.infer({ parameters: { entity_id: parameter('F1') } });
    expect(outputs).toMatchObject([{ name: 'probability', datatype: 'FP64', shape: [1, 1], contents: undefined }]);
    expect(rawOutputContents.map((bytes) => [bytes.length, bytes.readDoubleLE(0)])).toEqual([[8, 0.25]]);
  });

  it('reads questions that arrive together together', async () => {
    await Promise.all(Array.from({ length: 40 }, () => world.infer({ inputs: ownInputs() })));
    expect(store.asked.flatMap(({ questions }) => questions)).toHaveLength(40);
    expect(store.asked.length).toBeLessThan(20);
  });

  it('takes columns by their names, whatever their order', async () => {
    store.reversed = true;
    await world.infer({ id: 'reversed', inputs: ownInputs() });
    const { numbers, imputed } = await logged('reversed');
    expect([numbers[0], numbers[3]]).toEqual([2475, 3]);
    expect(imputed).toEqual(['wind_gust']);
  });

  it('answers without a store that is away, at once, and flags what is imputed', async () => {
    store.close();
    const began = performance.now();
    const reply = await world.infer({ id: 'alone', inputs: ownInputs() });
    expect(performance.now() - began).toBeLessThan(1000);
    expect(reply.outputs[0].contents?.fp64Contents).toEqual([0.25]);
    const { imputed, texts, entityTime } = await logged('alone');
    expect(imputed).toHaveLength(59);
    expect(texts).toEqual(['AA', 'LAX']);
    expect(entityTime).toEqual(new Date('2013-02-14T10:00:00Z'));
  });

  it('answers without a store that is late, within the deadline of the caller', async () => {
    store.delayMs = 5000;
    const began = performance.now();
    const reply = await world.infer({ inputs: ownInputs() }, { deadlineMs: 400 });
    expect(performance.now() - began).toBeLessThan(400);
    expect(parametersOf(reply.parameters.imputed)).toHaveLength(59);
  });

  it('gives no answer made of nothing where the store is late and the request leaves inputs to it', async () => {
    store.delayMs = 5000;
    const refusal = await world.refused({ parameters: { entity_id: parameter('F1') } }, { deadlineMs: 400 });
    expect(refusal).toMatchObject({ status: status.UNAVAILABLE, code: 'FEATURES_AWAY', retriable: true });
  });

  it('asks about now for what the store knows, at once, and waits where the caller dates its question', async () => {
    await world.infer({ inputs: ownInputs() });
    await world.infer({ inputs: ownInputs(), modelVersion: 'champion' });
    await world.infer({ inputs: ownInputs(), parameters: eventTime, modelVersion: 'champion' }, { asReplay: true });
    await world.infer({ inputs: ownInputs(), parameters: eventTime }, { asReplay: true });
    expect(store.asked.map(({ deadlineMs }) => deadlineMs)).toEqual([0, 0, 50, 30_000]);
  });

  it('says how far behind the store is, and which features are stale, except what the caller sent itself', async () => {
    const fresh = await world.infer({ inputs: ownInputs() });
    expect(Object.keys(fresh.parameters).sort()).toEqual(['arm', 'imputed']);
    store.complete = false;
    store.behindMs = 7_200_000;
    store.stale = ['temp', 'humid'];
    const { parameters } = await world.infer({ inputs: [...ownInputs(), tensor('humid', 55)] });
    expect(parameters.stale).toEqual(parameter('temp'));
    expect(parameters.features_behind_ms.parameterChoice).toEqual({ $case: 'int64Param', value: 7_200_000 });
  });

  it('logs no prediction that nobody waits for any more', async () => {
    store.delayMs = 5000;
    const refusal = await world.refused({ id: 'given-up', inputs: ownInputs() }, { cancelAfterMs: 30 });
    expect(refusal.status).toBe(status.CANCELLED);
    await world.infer({ id: 'waited-for', inputs: ownInputs() });
    await world.settled();
    expect(world.predictions.map(({ id }) => id)).toEqual(['waited-for']);
  });

  it('waits for the store in a replay, and refuses retriably where it stays away', async () => {
    const request = { inputs: ownInputs(), parameters: eventTime };
    store.delayMs = 300;
    await world.infer(request, { asReplay: true });
    store.away = true;
    const refusal = await world.refused(request, { asReplay: true });
    expect(refusal).toMatchObject({ status: status.UNAVAILABLE, code: 'FEATURES_AWAY', retriable: true });
    expect(refusal.message).toMatch(/try again/);
    store.away = false;
    await world.infer(request, { asReplay: true });
  });

  it('refuses in a replay what the store has not read all of, but lets a named version look at it', async () => {
    const request = { inputs: ownInputs(), parameters: eventTime };
    store.complete = false;
    expect(await world.refused(request, { asReplay: true })).toMatchObject({ code: 'FEATURES_AWAY', retriable: true });
    await world.infer({ ...request, modelVersion: 'champion' }, { asReplay: true });
    await world.infer({ inputs: ownInputs() });
  });
});

function parametersOf(parameter: { parameterChoice?: { value: unknown } }): string[] {
  return String(parameter.parameterChoice?.value).split(',');
}
