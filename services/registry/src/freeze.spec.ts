/** A frozen champion: what waits, what does not, what a person may still do. */
import { readFileSync } from 'node:fs';
import {
  type AnyEvent,
  decision,
  events,
  ModelTrained,
  type PayloadOf,
  RegistryClient,
  RollBackRequest,
  RolloutJudged,
  Stage,
  TimePassed,
  Verdict,
} from '@driftloop/contracts';
import { call, grpcClient } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';
import { registry } from './index.js';

const spec = readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8');
const model = 'flights';
const hour = 3_600_000;
const start = Date.UTC(2013, 0, 20, 9);
const token = 'replay-token-of-a-test';

let service: Awaited<ReturnType<typeof testService>>;
let client: RegistryClient;
let now: number;
let told: number;

beforeEach(async () => {
  service = await testService(registry, { environment: { DRIFTLOOP_REPLAY_TOKEN: token } });
  client = grpcClient(RegistryClient, `127.0.0.1:${service.port}`, { reveal: () => token } as never);
  [now, told] = [start, 0];
  await call(client, 'apply', { spec, eventTime: new Date(start) });
});

afterEach(async () => {
  client.close();
  await service.close();
});

async function publish<D extends AnyEvent>({ topic, key, payload, from }: D, data: PayloadOf<D>) {
  const event = { id: `e${told++}`, topic, key: key(data), time: now, source: from, data: payload.toJSON(data) };
  await service.ground.bus.publish([event]);
  await service.ground.bus.settled();
}

/** What is said at a tick is acted on at the second tick after. */
async function pass(ticks = 2) {
  for (let i = 0; i < ticks; i++) {
    const previous = new Date(now);
    now += hour;
    await publish(events.timePassed, TimePassed.fromPartial({ now: new Date(now), replay: true, previous }));
  }
}

const rollout = async () => (await call(client, 'getRollout', { model, history: 0 })).rollout!;
const version = (name: string) => call(client, 'getVersion', { model, version: name });
const heard = async <D extends AnyEvent>({ topic, payload }: D): Promise<PayloadOf<D>[]> =>
  (await service.ground.bus.read(topic, 0, 0, 100)).map((event) => payload.fromJSON(event.data));

async function train(cycleId: string, purpose: string) {
  const artifact = { uri: `main/models/${cycleId}.onnx`, sha256: cycleId.repeat(32).slice(0, 64), bytes: 10 };
  const { champion, revision } = await rollout();
  const days = [3, 2, 4, 3, 2, 5, 3, 4].map((sum, i) => ({
    ...{ day: new Date(start + i * 24 * hour), rows: 300, lossDifferenceNano: sum * 1e9 },
    ...{ championLossNano: 0, challengerLossNano: 0 },
  }));
  const comparison = { champion: champion!.version, days, slices: [], features: [] };
  const fields = { purpose, champion: champion!.version, rolloutRevision: revision, comparison };
  const who = { tenant: 'main', model, cycleId, eventTime: new Date(now) };
  await publish(
    events.modelTrained,
    ModelTrained.fromPartial({ ...who, ...fields, released: artifact, twin: artifact }),
  );
}

async function judge(verdict: Verdict, stage: Stage) {
  const { rolloutId, cycleId, challenger } = await rollout();
  const said = decision({ kind: 'judgement', outcome: verdict, subject: rolloutId, time: now, reasons: ['as judged'] });
  const what = { tenant: 'main', model, rolloutId, cycleId, version: challenger!.version, stage, verdict };
  await publish(events.rolloutJudged, RolloutJudged.fromPartial({ ...what, decision: said }));
}

const hold = async (held: boolean, note = '') => (await call(client, 'freeze', { model, held, note })).rollout!;

/** v1 is champion, v2 in shadow. */
async function trial() {
  await train('c1', 'bootstrap');
  await pass();
  await train('c2', 'retrain');
  await pass();
  expect(await rollout()).toMatchObject({ stage: Stage.SHADOW, champion: { version: 'v1' } });
}

it('is told with who froze it and why, and in the decision without the note', async () => {
  const before = await rollout();
  expect(await hold(true, 'holidays')).toMatchObject({
    ...{ held: true, revision: before.revision + 1, champion: { version: 'v0' } },
    reason: 'frozen by main (replay credential): holidays',
  });
  const changed = (await heard(events.rolloutChanged)).at(-1)!;
  expect(changed.decision).toMatchObject({ kind: 'hold', outcome: 'frozen', reasons: ['a person froze the champion'] });
  expect(JSON.stringify(changed.decision)).not.toContain('holidays');
  expect((await hold(true, 'again')).revision).toBe(before.revision + 1);
  expect(await hold(false)).toMatchObject({ held: false, reason: 'thawed by main (replay credential)' });
});

it('lets a trial begin in shadow, and a cycle that opened before the freeze go on', async () => {
  await train('c1', 'bootstrap');
  await pass();
  await train('c2', 'retrain');
  await hold(true);
  await pass();
  expect(await rollout()).toMatchObject({ stage: Stage.SHADOW, held: true, challenger: { version: 'v2' } });
  expect(await heard(events.modelRolledBack)).toEqual([]);
});

it('waits with the canary and with the promotion until it is thawed, and then goes on by itself', async () => {
  await trial();
  await judge(Verdict.ADVANCE, Stage.SHADOW);
  await hold(true);
  await pass(4);
  expect(await rollout()).toMatchObject({ stage: Stage.SHADOW, held: true });
  await hold(false);
  await pass(1);
  expect(await rollout()).toMatchObject({ stage: Stage.CANARY, held: false });
  await hold(true);
  await judge(Verdict.PROMOTE, Stage.CANARY);
  await pass(4);
  expect(await rollout()).toMatchObject({ stage: Stage.CANARY, champion: { version: 'v1' } });
  await hold(false);
  await pass(1);
  expect(await rollout()).toMatchObject({ stage: Stage.ENDED, champion: { version: 'v2' } });
});

it('does not save a challenger that does harm', async () => {
  await trial();
  await judge(Verdict.ADVANCE, Stage.SHADOW);
  await hold(true);
  await pass();
  await judge(Verdict.ROLL_BACK, Stage.SHADOW);
  await pass();
  expect(await rollout()).toMatchObject({ stage: Stage.ENDED, held: true, champion: { version: 'v1' } });
  expect((await version('v2')).state).toBe('rolled_back');
});

it('makes the first trained version wait too', async () => {
  await hold(true);
  await train('c1', 'bootstrap');
  await pass(4);
  expect(await rollout()).toMatchObject({ champion: { version: 'v0' } });
  await hold(false);
  await pass(1);
  expect(await rollout()).toMatchObject({ champion: { version: 'v1' } });
});

it('refuses to be moved by hand, unless that is forced', async () => {
  await trial();
  await hold(true, 'holidays');
  const promote = { model, version: 'v0', expectedChampion: '', note: '', force: false };
  await expect(call(client, 'promote', promote)).rejects.toMatchObject({
    ...{ code: 'FROZEN', message: expect.stringMatching(/frozen by .*: holidays.*driftloop thaw.*--force/) },
  });
  const { rollout: forced } = await call(client, 'promote', { ...promote, force: true });
  expect(forced).toMatchObject({ champion: { version: 'v0' }, held: true });
  const back = RollBackRequest.fromPartial({ model });
  await expect(call(client, 'rollBack', back)).rejects.toMatchObject({ code: 'FROZEN' });
  expect((await call(client, 'rollBack', { ...back, force: true })).rollout).toMatchObject({
    champion: { version: 'v1' },
  });
});

it('lets a person withdraw a challenger, which moves no champion', async () => {
  await trial();
  await hold(true);
  const { rollout: after } = await call(client, 'rollBack', RollBackRequest.fromPartial({ model, note: '' }));
  expect(after).toMatchObject({ champion: { version: 'v1' }, challenger: undefined, held: true });
});

it('is remembered over a restart, being in the rollout', async () => {
  await hold(true);
  const again = await call(client, 'getRollout', { model, history: 1 });
  expect([again.rollout!.held, again.history[0].held]).toEqual([true, false]);
});

it('names each step of a rollout in its cycle, once', async () => {
  await trial();
  await judge(Verdict.ADVANCE, Stage.SHADOW);
  await pass();
  await judge(Verdict.PROMOTE, Stage.CANARY);
  await pass();
  const [approved] = (await heard(events.modelApproved)).slice(-1);
  const moved = (await heard(events.rolloutChanged)).map(({ span }) => span).filter((span) => span);
  const trace = approved.span!.traceId;
  expect(approved.span).toMatchObject({ name: 'gate', service: 'registry' });
  const own = moved.filter((span) => span!.traceId === trace);
  expect(own.map((span) => span!.name)).toEqual(['stage shadow', 'stage canary', 'promoted']);
  expect(own.map((span) => span!.parentSpanId)).toEqual(Array(3).fill(approved.span!.parentSpanId));
  expect(own[0]!.attributes).toMatchObject({ 'driftloop.version': 'v2', 'driftloop.decision.outcome': 'shadow' });
  expect((await heard(events.modelPromoted)).at(-1)!.span).toEqual(own[2]);
  expect(new Set(moved.map((span) => span!.spanId)).size).toBe(moved.length);
});
