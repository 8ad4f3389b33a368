/** The operators' door of a real service: its groups, its dead letters and nobody else's. */
import { AdminClient } from '@driftloop/contracts';
import { testService } from '@driftloop/testing/service';
import { call, grpcClient, Secret } from './index.js';
import { tiny, World, world } from './testing/tiny-service.js';

const logged: string[] = [];
const logLines = { write: (line: string) => void logged.push(line) };
const token = 'a-token-of-a-test-house';
const group = 'labeling.when-model-declared';
const open: { close(): unknown }[] = [];

beforeEach(() => {
  Object.assign(world, new World());
  logged.splice(0);
});
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function started(environment = {}, secret?: Secret) {
  const service = await testService(tiny, { environment, logLines });
  open.push(service);
  const admin = grpcClient(AdminClient, `127.0.0.1:${service.port}`, secret);
  open.push(admin);
  const { bus } = service.ground;
  const tell = async (model: string) => {
    const data = { tenant: 'main', model };
    const key = `main/${model}`;
    await bus.publish([{ id: model, topic: 'model.declared', key, time: 7, source: 'registry', data }]);
    await bus.settled();
  };
  return { service, admin, bus, tell };
}

it('describes the service: its groups with topics and lag, its dead letters, whether it is ready', async () => {
  const { admin, tell } = await started();
  await tell('flights');
  await tell('poison');
  expect(await call(admin, 'describe', {})).toEqual({
    ...{ service: 'labeling', replica: 'embedded', ready: true, reasons: [], attention: [] },
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    groups: [{ name: group, topics: ['model.declared'], lag: 0, dead: 1 }],
  });
});

it('says why it is not ready, and how far a group is behind', async () => {
  const { admin, bus } = await started();
  world.away = true;
  const event = { id: 'x', topic: 'model.declared', key: 'main/x', time: 7, source: 'registry' };
  await bus.publish([{ ...event, data: { tenant: 'main', model: 'x' } }]);
  while (!world.heard.length) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const described = await call(admin, 'describe', {});
  expect(described).toMatchObject({ ready: false, groups: [{ lag: 1, dead: 0 }] });
  expect(described.reasons.join()).toContain('the store is away');
  world.away = false;
});

it('shows a dead letter with its error and its payload', async () => {
  const { admin, tell } = await started();
  await tell('poison');
  expect(await call(admin, 'listDeadLetters', { group: '', limit: 0 })).toEqual({
    total: 1,
    letters: [
      {
        ...{ group, eventId: 'poison', topic: 'model.declared', key: 'main/poison', eventTime: new Date(7) },
        ...{ errorCode: 'TypeError', error: 'no such thing', payloadJson: '{"tenant":"main","model":"poison"}' },
      },
    ],
  });
});

it('gives a letter back to its group, which hears it again', async () => {
  const { admin, bus, tell } = await started();
  await tell('poison');
  await tell('flights');
  world.heard.splice(0);
  expect(await call(admin, 'replayDeadLetters', { group, eventIds: [] })).toEqual({ replayed: 1 });
  await bus.settled();
  expect(world.heard.map(({ payload }) => payload.model)).toEqual(['poison']);
  expect((await call(admin, 'listDeadLetters', { group, limit: 0 })).total).toBe(1);
});

it('discards letters by their ids or all of a group, and logs each with who did it and why', async () => {
  const { service, admin, bus, tell } = await started();
  const data = { tenant: 'main', model: 'poison' };
  for (const id of ['a', 'b', 'c'])
    await bus.publish([{ id, topic: 'model.declared', key: 'main/poison', time: 7, source: 'registry', data }]);
  await tell('flights');
  world.heard.splice(0);
  const said = { group, eventIds: ['b'], all: false, note: 'sent anew' };
  expect(await call(admin, 'discardDeadLetters', said)).toEqual({ discarded: 1, eventIds: ['b'] });
  expect((await bus.dead(group)).map(({ id }) => id)).toEqual(['a', 'c']);
  const rest = await call(admin, 'discardDeadLetters', { ...said, eventIds: [], all: true, note: '' });
  expect(rest).toEqual({ discarded: 2, eventIds: ['a', 'c'] });
  expect((await call(admin, 'describe', {})).groups).toMatchObject([{ name: group, dead: 0 }]);
  await bus.settled();
  expect([world.heard, service.ready()]).toEqual([[], true]);
  const acts = logged.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'a person discarded a dead letter');
  expect(acts.map(({ group: of, event, by, note, level }) => [of, event, by, note, level])).toEqual([
    [group, 'b', 'main', 'sent anew', 40],
    [group, 'a', 'main', '', 40],
    [group, 'c', 'main', '', 40],
  ]);
});

it('logs who gave a letter back', async () => {
  const { admin, tell } = await started();
  await tell('poison');
  await call(admin, 'replayDeadLetters', { group, eventIds: ['poison'] });
  const acts = logged.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'a person gave a dead letter back');
  expect(acts).toMatchObject([{ group, event: 'poison', by: 'main' }]);
});

it.each([
  ['nothing named', { eventIds: [], all: false }, 'DISCARD_UNNAMED'],
  ['ids and all', { eventIds: ['poison'], all: true }, 'DISCARD_UNNAMED'],
  ['a letter that is not there', { eventIds: ['poison', 'nothing'], all: false }, 'BUS_DEAD_LETTER_UNKNOWN'],
  ["another service's group", { group: 'monitoring.when-model-declared', all: true }, 'GROUP_UNKNOWN'],
])('refuses to discard with %s, and discards nothing', async (_, request, code) => {
  const { admin, bus, tell } = await started();
  await tell('poison');
  const discarding = call(admin, 'discardDeadLetters', { group, eventIds: [], note: '', ...request });
  await expect(discarding).rejects.toMatchObject({ code });
  expect(await bus.countDead(group)).toBe(1);
});

it('keeps to the groups of its own service', async () => {
  const { admin, bus } = await started();
  const failing = async () => {
    throw new TypeError('not mine');
  };
  await bus.subscribe({ group: 'monitoring.when-model-declared', topics: ['model.declared'], handle: failing });
  const event = { id: 'y', topic: 'model.declared', key: 'main/y', time: 7, source: 'registry' };
  await bus.publish([{ ...event, data: { tenant: 'main', model: 'y' } }]);
  await bus.settled();
  expect((await call(admin, 'listDeadLetters', { group: '', limit: 0 })).total).toBe(0);
  const foreign = call(admin, 'replayDeadLetters', { group: 'monitoring.when-model-declared', eventIds: [] });
  await expect(foreign).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' });
  expect(await bus.dead('monitoring.when-model-declared')).toHaveLength(1);
});

it('refuses a letter that is not there by its id', async () => {
  const { admin } = await started();
  const absent = call(admin, 'replayDeadLetters', { group, eventIds: ['nothing'] });
  await expect(absent).rejects.toMatchObject({ code: 'BUS_DEAD_LETTER_UNKNOWN' });
});

it("needs the house's token", async () => {
  const { service, admin } = await started({ DRIFTLOOP_TOKEN: token }, new Secret(token));
  expect((await call(admin, 'describe', {})).service).toBe('labeling');
  const stranger = grpcClient(AdminClient, `127.0.0.1:${service.port}`);
  open.push(stranger);
  await expect(call(stranger, 'describe', {})).rejects.toMatchObject({ code: 'CREDENTIAL_MISSING' });
});
