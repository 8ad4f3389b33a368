/** Questions of many callers are read together: what one of them sends is nobody else's fate. */
import { status } from '@grpc/grpc-js';
import { OnlineStore } from './online-store.js';
import { FeatureStoreStandIn } from './testing/stand-ins.js';
import { ownInputs, parameter, tensor, World } from './testing/world.js';

let store: FeatureStoreStandIn;
let world: World;

async function open(environment: Record<string, string> = {}): Promise<void> {
  store = await FeatureStoreStandIn.open();
  const patient = { DRIFTLOOP_FEATURE_PATIENCE_MS: '60000' }; // a slow machine is no late store
  const address = { DRIFTLOOP_FEATURE_STORE_ADDRESS: store.address };
  world = await World.open({ environment: { ...address, ...patient, ...environment } });
  await world.serve();
  // Until a store has answered once, calls wait for it to come up.
  await world.infer({ modelVersion: 'champion', inputs: ownInputs() });
  store.asked.splice(0);
}

afterEach(async () => {
  await world.close();
  store.close();
});

const bad = (entity: string) => ({ inputs: ownInputs(), parameters: { entity_id: parameter(entity) } });
const good = { inputs: ownInputs() };
const unhurried = { deadlineMs: 600_000 };
const timed = (time: string) => ({
  inputs: ownInputs().map((input) => (input.name === 'sched_dep_utc' ? tensor(input.name, time) : input)),
});
const imputed = async (asked: Promise<{ parameters: Record<string, unknown> }>) => (await asked).parameters.imputed;
const alone = parameter('wind_gust');

describe('a question beside others', () => {
  it('is refused at the door where its time is none that anybody takes, and the store never sees it', async () => {
    await open();
    const others = Array.from({ length: 40 }, () => imputed(world.infer(good, unhurried)));
    const refusals = await Promise.all(
      ['9999-12-31T23:59:59Z', '1899-12-31T23:59:59Z', '0001-01-01T00:00:00Z'].map((time) =>
        world.refused(timed(time)),
      ),
    );
    expect(refusals.map(({ code }) => code)).toEqual(Array(3).fill('WRONG_CONTENTS'));
    expect(refusals[0].message).toMatch(/"sched_dep_utc".*between 1900 and 2200/);
    expect(await Promise.all(others)).toEqual(Array(40).fill(alone));
    expect(store.asked.flatMap(({ questions }) => questions)).toHaveLength(40);
    const replayed = { ...good, parameters: { event_time: parameter('9999-01-01T00:00:00Z') } };
    expect(await world.refused(replayed, { asReplay: true })).toMatchObject({ code: 'WRONG_PARAMETER' });
  });

  it('gets its own refusal, and all others are answered as they would be alone', async () => {
    await open();
    store.refuses = ({ entityId }) => entityId === 'bad';
    const others = Array.from({ length: 40 }, () => imputed(world.infer(good, unhurried)));
    const refusal = await world.refused(bad('bad'), unhurried);
    expect(refusal).toMatchObject({ status: status.INVALID_ARGUMENT, code: 'QUESTION_REFUSED', retriable: false });
    expect(refusal.message).toMatch(/INPUT_INVALID.*"distance" must be a number/);
    expect(await Promise.all(others)).toEqual(Array(40).fill(alone));
  });

  it('is found by halves where a store refuses all that came with it', async () => {
    await open();
    store.ofBefore = true;
    store.refuses = ({ entityId }) => entityId === 'bad';
    const others = Array.from({ length: 40 }, () => imputed(world.infer(good, unhurried)));
    const own = imputed(world.infer(bad('bad'), unhurried));
    expect(await Promise.all(others)).toEqual(Array(40).fill(alone));
    // A store of before names no error: what it says of one question is as if it were away.
    expect(await own).not.toEqual(alone);
    expect(
      store.asked.filter(({ questions }) => questions.some(({ entityId }) => entityId === 'bad')).length,
    ).toBeLessThan(9);
  });

  it('waits no shorter for the haste of another', async () => {
    await open();
    store.delayMs = 300;
    const patient = Array.from({ length: 5 }, () => imputed(world.infer(good, unhurried)));
    const hasty = world.infer(good, { deadlineMs: 60 }).catch(() => undefined);
    expect(await Promise.all(patient)).toEqual(Array(5).fill(alone));
    await hasty;
  });

  it('waits no longer for a time that another caller asks about', async () => {
    await open();
    const look = { ...good, modelVersion: 'champion', parameters: { event_time: parameter('2013-02-14T09:00:00Z') } };
    await Promise.all([world.infer(look, { asReplay: true }), world.infer(good), world.infer(good)]);
    const batches = store.asked.map(
      ({ questions }) => new Set(questions.map(({ eventTime }) => eventTime!.getFullYear())),
    );
    expect(batches.every(({ size }) => size === 1)).toBe(true);
  });
});

describe('a caller that goes', () => {
  it('gives its places back, and has the store told', async () => {
    await open();
    store.delayMs = 600_000;
    const waiting = world.service.app.get(OnlineStore);
    const replayed = { ...good, parameters: { event_time: parameter('2013-02-14T09:00:00Z') } };
    const until = async (depth: number) => {
      while (waiting.state.depth !== depth) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const ask = (_: unknown, i: number) =>
      world.refused(replayed, { asReplay: true, cancelAfterMs: i % 2 ? 500 : 3000, deadlineMs: 60_000 });
    const gone = Array.from({ length: 200 }, ask);
    await until(200);
    // Half of them have gone; the store has not answered, and the others wait on.
    await until(100);
    await until(0);
    expect(new Set((await Promise.all(gone)).map(({ status }) => status))).toEqual(new Set([status.CANCELLED]));
    while (!store.abandoned) await new Promise((resolve) => setTimeout(resolve, 5));
    store.delayMs = 0;
    expect(await imputed(world.infer(replayed, { asReplay: true }))).toEqual(alone);
  });
});

describe('a time that has not come', () => {
  it('is no question to a system that lives by the wall', async () => {
    await open({ DRIFTLOOP_CLOCK: 'live' });
    const ahead = { ...good, parameters: { event_time: parameter('2199-01-01T00:00:00Z') } };
    const refusal = await world.refused(ahead, { asReplay: true });
    expect(refusal).toMatchObject({ status: status.INVALID_ARGUMENT, code: 'EVENT_TIME_AHEAD', retriable: false });
    expect(refusal.message).toMatch(/2199-01-01T00:00:00Z.*DRIFTLOOP_CLOCK=replay/);
  });
});
