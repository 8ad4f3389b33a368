import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import {
  type AnyEvent,
  canonicalSpec,
  type DayScore,
  decision,
  events,
  ModelTrained,
  type PayloadOf,
  parseModelSpec,
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
import { RegistryDocuments } from './registry.documents.js';

type Service = Awaited<ReturnType<typeof testService>>;

const spec = readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8');
const model = 'flights';
const day = (n: number) => new Date(Date.UTC(2013, 0, n, 9));
const sha = (c: string) => c.repeat(64);

let service: Service;
let client: RegistryClient;
let published = 0;
let lastTick: Date | undefined;

beforeEach(async () => {
  published = 0;
  lastTick = undefined;
  service = await testService(registry, { environment: { DRIFTLOOP_REPLAY_TOKEN: 'replay-token-of-a-test' } });
  client = grpcClient(RegistryClient, `127.0.0.1:${service.port}`, { reveal: () => 'replay-token-of-a-test' } as never);
  await call(client, 'apply', { spec, eventTime: day(1) });
});

afterEach(async () => {
  client.close();
  await service.close();
});

async function publish<D extends AnyEvent>({ topic, key, payload, from }: D, data: PayloadOf<D>, time: Date) {
  const event = {
    id: `e${published++}`,
    topic,
    key: key(data),
    time: time.getTime(),
    source: from,
    data: payload.toJSON(data),
  };
  await service.ground.bus.publish([event]);
  await service.ground.bus.settled();
}

/** Two ticks an hour apart: what is dated `at` is acted on at the second. */
async function pass(at: Date) {
  const later = new Date(at.getTime() + 3_600_000);
  await publish(events.timePassed, TimePassed.fromPartial({ now: at, replay: true, previous: lastTick }), at);
  await publish(events.timePassed, TimePassed.fromPartial({ now: later, replay: true, previous: at }), later);
  lastTick = later;
}

async function heard<D extends AnyEvent>({ topic, payload }: D): Promise<PayloadOf<D>[]> {
  await service.ground.bus.settled();
  return (await service.ground.bus.read(topic, 0, 0, 100)).map((event) => payload.fromJSON(event.data));
}

/** Days of a comparison: a nano loss difference a day of 300 rows each. */
function days(differences: number[]): DayScore[] {
  return differences.map((lossDifferenceNano, i) => ({
    day: day(10 + i),
    rows: 300,
    lossDifferenceNano,
    championLossNano: 0,
    challengerLossNano: 0,
  }));
}

const better = days([3e9, 2e9, 4e9, 3e9, 2e9, 5e9, 3e9, 4e9]);
const worse = days([-30e9, -22e9, -41e9, -30e9, -25e9, -50e9, -33e9, -44e9]);

async function train(name: string, fields: Partial<ModelTrained> = {}, at = day(20)) {
  const artifact = { uri: `main/models/${name}.onnx`, sha256: sha(name), bytes: 10 };
  const { rollout } = await call(client, 'getRollout', { model, history: 0 });
  const trained = ModelTrained.fromPartial({
    tenant: 'main',
    model,
    cycleId: `cycle-${name}`,
    eventTime: at,
    purpose: 'retrain',
    champion: rollout!.champion!.version,
    rolloutRevision: rollout!.revision,
    released: artifact,
    twin: artifact,
    comparison: { champion: 'v0', days: better, slices: [], features: [] },
    ...fields,
  });
  await publish(events.modelTrained, trained, at);
}

async function judge(verdict: Verdict, stage: Stage, at: Date) {
  const { rollout } = await call(client, 'getRollout', { model, history: 0 });
  const judged = RolloutJudged.fromPartial({
    tenant: 'main',
    model,
    rolloutId: rollout!.rolloutId,
    cycleId: rollout!.cycleId,
    version: rollout!.challenger?.version,
    stage,
    verdict,
    decision: decision({
      kind: 'judgement',
      outcome: verdict,
      subject: rollout!.rolloutId,
      time: at.getTime(),
      reasons: ['as judged'],
    }),
  });
  await publish(events.rolloutJudged, judged, at);
}

const rollout = async () => (await call(client, 'getRollout', { model, history: 0 })).rollout!;
const version = (name: string) => call(client, 'getVersion', { model, version: name });

/** v1 as champion and frozen. */
async function bootstrap() {
  await train('a', { purpose: 'bootstrap' });
  await pass(day(20));
}

describe('apply', () => {
  it('takes a model whose first declaration was cut off by a crash', async () => {
    const documents = service.app.get(RegistryDocuments);
    await documents.models.deleteMany({});
    await documents.models.create({ _id: `main/${model}`, tenant: 'main', model, revision: 0 });
    const applied = await call(client, 'apply', { spec, eventTime: day(1) });
    expect(applied).toEqual({ model, revision: 1, changed: true });
  });

  it('writes a first declaration whole', async () => {
    const written: string[] = [];
    const watch = (of: unknown) => written.push(String(of));
    subscribe('driftloop:documents.after-commit', watch);
    const other = spec.replace('name: flights', 'name: others');
    await call(client, 'apply', { spec: other, eventTime: day(1) });
    unsubscribe('driftloop:documents.after-commit', watch);
    expect(written.filter((of) => of === 'registry.models')).toHaveLength(2); // the declaration; its event is taken off
  });

  it('declares a model once, with the prior as champion', async () => {
    expect(await call(client, 'apply', { spec, eventTime: day(2) })).toEqual({ model, revision: 1, changed: false });
    expect(await rollout()).toMatchObject({ revision: 1, stage: Stage.ENDED, champion: { version: 'v0' } });
    expect(await heard(events.modelDeclared)).toHaveLength(1);
    expect(await heard(events.rolloutChanged)).toHaveLength(1);
    const { released } = await version('champion');
    expect((await service.ground.objects.get(released!.uri, released!.sha256)).length).toBe(released!.bytes);
  });

  it('takes a changed policy as a new revision', async () => {
    const changed = spec.replace('prior: 0.25', 'prior: 0.2');
    expect(await call(client, 'apply', { spec: changed, eventTime: day(2) })).toEqual({
      model,
      revision: 2,
      changed: true,
    });
  });

  it('refuses to change the features under served versions', async () => {
    const changed = spec.replace('    - input: distance\n', '');
    await expect(call(client, 'apply', { spec: changed, eventTime: day(2) })).rejects.toMatchObject({
      code: 'CHANGED_TOO_MUCH',
    });
  });

  it('declares nothing at a time that nobody takes', async () => {
    await expect(call(client, 'apply', { spec, eventTime: new Date('9999-01-01') })).rejects.toMatchObject({
      code: 'TIME_INVALID',
    });
  });

  it('names every fault of a spec with its path', async () => {
    const bad = spec.replace('closeAfter: 12h', 'closeAfter: soon').replace('task: binary', 'task: ranking');
    const failure = call(client, 'apply', { spec: bad, eventTime: undefined });
    await expect(failure).rejects.toMatchObject({
      code: 'SPEC_INVALID',
      message: expect.stringMatching(/spec\.task.*spec\.label\.closeAfter/),
    });
  });

  it.each([new Date('9999-01-01T00:00:00Z'), new Date('0001-01-01T00:00:00Z')])(
    'takes no event time of %s',
    async (eventTime) => {
      await expect(call(client, 'apply', { spec, eventTime })).rejects.toMatchObject({ code: 'TIME_INVALID' });
    },
  );

  it('keeps nothing of a spec that is refused', async () => {
    const named = spec.replace('name: flights', 'name: refused');
    for (const [from, to] of [
      ['window: departed', 'window: constructor'],
      ['source: schedule', 'source: toString'],
      ['overdue: schedule, until: departed', 'overdue: schedule, until: valueOf'],
      ['closeAfter: 12h', `closeAfter: ${'9'.repeat(400)}d`],
    ])
      await expect(call(client, 'apply', { spec: named.replace(from, to), eventTime: day(2) })).rejects.toMatchObject({
        code: 'SPEC_INVALID',
      });
    expect((await call(client, 'listModels', {})).models.map((declared) => declared.model)).toEqual([model]);
  });

  it('refuses by path and line what reads well and fails at a later training or in a signal', async () => {
    const named = spec.replace('name: flights', 'name: refused');
    for (const [from, to, path] of [
      ['temp: number', 'Temp: number, temp: number', 'spec.sources.weather.columns.temp'],
      [/distance/g, 'label', 'spec.features.2'],
      [/distance/g, 'prediction', 'spec.features.2'],
      ['    departed:', '    outcomes: { columns: { delay: number } }\n    departed:', 'spec.sources.outcomes'],
      ['censorAfter: 48h', 'censorAfter: 2h', 'spec.label.censorAfter'],
      ['over: [2h, 6h, 24h, 72h]', 'over: 48h', 'spec.features.6.over'],
    ] as const)
      await expect(call(client, 'apply', { spec: named.replace(from, to), eventTime: day(2) })).rejects.toMatchObject({
        code: 'SPEC_INVALID',
        message: expect.stringMatching(new RegExp(`${path} \\(line \\d+, column \\d+\\): `)),
        details: { faults: [{ path, line: expect.any(Number), column: expect.any(Number) }] },
      });
    expect((await call(client, 'listModels', {})).models.map((declared) => declared.model)).toEqual([model]);
  });

  it('tells of many faults through a reply’s header, as many as it has room for', async () => {
    const bad = spec.replace('  features:\n', `  features:\n${'    - nobody\n'.repeat(100)}`);
    await expect(call(client, 'apply', { spec: bad, eventTime: day(2) })).rejects.toMatchObject({
      message: expect.stringMatching(/^the model spec has 100 fault\(s\): .*; and \d+ more$/),
      details: { faults: expect.arrayContaining([expect.objectContaining({ path: 'spec.features.9' })]) },
    });
  });

  it('finds a spec unchanged that is kept, whatever has become a fault since', async () => {
    const kept = spec.replace('censorAfter: 48h', 'censorAfter: 2h');
    const { json, sha256 } = canonicalSpec(parseModelSpec(kept));
    const documents = service.app.get(RegistryDocuments);
    await documents.models.updateOne({ _id: `main/${model}` }, { $set: { specJson: json, specSha256: sha256 } });
    expect(await call(client, 'apply', { spec: kept, eventTime: day(2) })).toMatchObject({ changed: false });
    const changed = kept.replace('prior: 0.25', 'prior: 0.2');
    await expect(call(client, 'apply', { spec: changed, eventTime: day(2) })).rejects.toMatchObject({
      code: 'SPEC_INVALID',
    });
  });

  it('takes an event time from a replay only', async () => {
    const stranger = grpcClient(RegistryClient, `127.0.0.1:${service.port}`);
    await expect(call(stranger, 'apply', { spec, eventTime: day(1) })).rejects.toMatchObject({ code: 'REPLAY_ONLY' });
    stranger.close();
  });
});

describe('the gate', () => {
  it('makes the first trained version champion and frozen at once', async () => {
    await bootstrap();
    expect(await rollout()).toMatchObject({
      champion: { version: 'v1' },
      frozen: { version: 'v1' },
      stage: Stage.ENDED,
    });
    expect(await version('frozen')).toMatchObject({
      version: 'v1',
      state: 'champion',
      aliases: ['champion', 'frozen'],
    });
    expect(await heard(events.modelPromoted)).toMatchObject([{ version: 'v1', previous: 'v0', cycleId: 'cycle-a' }]);
    expect((await version('v0')).state).toBe('retired');
  });

  it('waits for the candidate to be due', async () => {
    await train('a', { purpose: 'bootstrap' }, day(21));
    await pass(day(20));
    expect((await version('v1')).state).toBe('registered');
    await pass(day(21));
    expect((await version('v1')).state).toBe('champion');
  });

  it('refuses a candidate that is significantly worse, with the evidence', async () => {
    await bootstrap();
    await train('b', { comparison: { champion: 'v1', days: worse, slices: [], features: [] } }, day(22));
    await pass(day(22));
    const [refused] = await heard(events.modelRefused);
    expect(refused).toMatchObject({ version: 'v2', cycleId: 'cycle-b', decision: { outcome: 'refused' } });
    expect(refused.decision!.evidence.length).toBeGreaterThan(0);
    expect(refused.decision!.reasons.join()).toContain('worse');
    expect(await rollout()).toMatchObject({ champion: { version: 'v1' }, challenger: undefined });
  });

  it('refuses a candidate with a leaking feature', async () => {
    await bootstrap();
    const features = [{ feature: 'dep_delay', auc: 0.883, gainShare: 0.9 }];
    await train('b', { comparison: { champion: 'v1', days: better, slices: [], features } }, day(22));
    await pass(day(22));
    expect((await heard(events.modelRefused))[0].decision!.reasons.join()).toContain('dep_delay');
  });

  it('lets everything through when the spec switches it off', async () => {
    await call(client, 'apply', { spec: spec.replace('gate: {', 'gate: { enabled: false,'), eventTime: day(2) });
    await bootstrap();
    await train('b', { comparison: { champion: 'v1', days: worse, slices: [], features: [] } }, day(22));
    await pass(day(22));
    expect((await version('v2')).state).toBe('challenger');
  });
});

describe('a rollout', () => {
  beforeEach(async () => {
    await bootstrap();
    await train('b', {}, day(22));
    await pass(day(22));
  });

  it('begins in shadow, goes on as canary, ends with the promotion', async () => {
    expect(await rollout()).toMatchObject({
      stage: Stage.SHADOW,
      challenger: { version: 'v2' },
      champion: { version: 'v1' },
    });
    await judge(Verdict.ADVANCE, Stage.SHADOW, day(30));
    await pass(day(30));
    expect(await rollout()).toMatchObject({ stage: Stage.CANARY, canaryPercent: 10 });
    await judge(Verdict.PROMOTE, Stage.CANARY, day(31));
    await pass(day(31));
    expect(await rollout()).toMatchObject({
      stage: Stage.ENDED,
      champion: { version: 'v2' },
      challenger: undefined,
      frozen: { version: 'v1' },
    });
    expect((await heard(events.modelPromoted)).at(-1)).toMatchObject({
      version: 'v2',
      previous: 'v1',
      cycleId: 'cycle-b',
    });
    const revisions = (await heard(events.rolloutChanged)).map((r) => r.rollout!.revision);
    expect(revisions).toEqual([1, 2, 3, 4, 5]);
  });

  it('ends with the challenger withdrawn when it is judged harmful', async () => {
    await judge(Verdict.ROLL_BACK, Stage.SHADOW, day(25));
    await pass(day(25));
    expect(await rollout()).toMatchObject({ stage: Stage.ENDED, champion: { version: 'v1' }, challenger: undefined });
    expect(await heard(events.modelRolledBack)).toMatchObject([
      { version: 'v2', outcome: 'rolled_back', champion: 'v1' },
    ]);
    expect((await version('v2')).state).toBe('rolled_back');
  });

  it('brings the states of its versions up to date where a crash left them behind', async () => {
    await judge(Verdict.ADVANCE, Stage.SHADOW, day(30));
    await pass(day(30));
    await judge(Verdict.PROMOTE, Stage.CANARY, day(31));
    await pass(day(31));
    const { Version, Rollout } = service.ground.connection.models;
    const states = async () => Promise.all(['v1', 'v2'].map(async (name) => (await version(name)).state));
    expect(await states()).toEqual(['retired', 'champion']);
    const written = { v1: 'champion', v2: 'challenger' };
    for (const [name, state] of Object.entries(written))
      await Version.updateOne({ _id: `main/${model}/${name}` }, { $set: { state } });
    const owed = [
      { version: `main/${model}/v1`, state: 'retired' },
      { version: `main/${model}/v2`, state: 'champion' },
    ];
    await Rollout.updateOne({ _id: `main/${model}` }, { $set: { owed } });
    await pass(day(32));
    expect(await states()).toEqual(['retired', 'champion']);
    expect((await Rollout.findById(`main/${model}`).lean())?.owed).toEqual([]);
  });

  it('does not act on a word about a stage that is over', async () => {
    await judge(Verdict.PROMOTE, Stage.CANARY, day(25));
    await pass(day(25));
    expect(await rollout()).toMatchObject({ stage: Stage.SHADOW, champion: { version: 'v1' } });
  });

  it('changes nothing when the same tick is heard again', async () => {
    await pass(day(22));
    expect((await rollout()).revision).toBe(3);
    expect(await heard(events.modelApproved)).toHaveLength(2);
  });

  it('is superseded when a person promotes another version meanwhile', async () => {
    await call(client, 'promote', { model, version: 'v0', expectedChampion: 'v1', note: 'a drill', force: false });
    expect(await rollout()).toMatchObject({ champion: { version: 'v0' }, challenger: undefined, stage: Stage.ENDED });
    expect(await heard(events.modelRolledBack)).toMatchObject([
      { version: 'v2', outcome: 'superseded', cycleId: 'cycle-b' },
    ]);
  });
});

describe('a candidate whose champion has moved', () => {
  it('is superseded, with the revisions it was compared at', async () => {
    await bootstrap();
    const before = await rollout();
    await call(client, 'promote', { model, version: 'v0', expectedChampion: '', note: '', force: false });
    await train('b', { champion: 'v1', rolloutRevision: before.revision }, day(22));
    await pass(day(22));
    expect(await heard(events.modelRolledBack)).toMatchObject([{ version: 'v2', outcome: 'superseded' }]);
    expect((await rollout()).champion!.version).toBe('v0');
  });
});

describe('a person', () => {
  it('must name the champion that is there', async () => {
    const request = { model, version: 'v0', expectedChampion: 'v7', note: '', force: false };
    await expect(call(client, 'promote', request)).rejects.toMatchObject({ code: 'ALIAS_MOVED' });
  });

  it('puts the previous champion back', async () => {
    await bootstrap();
    const { rollout: after } = await call(
      client,
      'rollBack',
      RollBackRequest.fromPartial({ model, note: 'it drifts' }),
    );
    expect(after).toMatchObject({ champion: { version: 'v0' }, reason: 'rolled back by hand: it drifts' });
  });

  it('never comes back to what was withdrawn, however often it is asked', async () => {
    await bootstrap();
    await call(client, 'promote', { model, version: 'v0', expectedChampion: '', note: '', force: false });
    await call(client, 'promote', { model, version: 'v1', expectedChampion: '', note: '', force: false });
    const back = () => call(client, 'rollBack', RollBackRequest.fromPartial({ model }));
    expect((await back()).rollout?.champion?.version).toBe('v0');
    await expect(back()).rejects.toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' });
    expect(await call(client, 'getVersion', { model, version: 'v1' })).toMatchObject({ state: 'rolled_back' });
    expect((await rollout()).champion!.version).toBe('v0');
  });

  it('may put back by name what was withdrawn, and then roll back to it', async () => {
    await bootstrap();
    await call(client, 'rollBack', RollBackRequest.fromPartial({ model }));
    for (const version of ['v1', 'v0'])
      await call(client, 'promote', { model, version, expectedChampion: '', note: '', force: false });
    const { rollout: after } = await call(client, 'rollBack', RollBackRequest.fromPartial({ model }));
    expect(after?.champion?.version).toBe('v1');
  });

  it('withdraws one version where two ask at once, and none that is not the expected one', async () => {
    await bootstrap();
    const back = (expected: object) => call(client, 'rollBack', RollBackRequest.fromPartial({ model, ...expected }));
    const both = await Promise.allSettled([back({ expectedChampion: 'v1' }), back({ expectedChampion: 'v1' })]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const moved = { code: 'ALIAS_MOVED', details: { alias: 'champion', expected: 'v1', found: 'v0' } };
    await expect(back({ expectedChampion: 'v1' })).rejects.toMatchObject(moved);
    const none = { code: 'ALIAS_MOVED', details: { alias: 'challenger', expected: 'v2', found: 'none' } };
    await expect(back({ expectedChallenger: 'v2' })).rejects.toMatchObject(none);
  });

  it('leaves a note in the record of the rollout, and none in a decision', async () => {
    await bootstrap();
    await call(client, 'rollBack', RollBackRequest.fromPartial({ model, note: 'a private word' }));
    const moved = (await heard(events.modelPromoted)).at(-1)!;
    expect(moved.decision).toMatchObject({ kind: 'alias', outcome: 'promoted', reasons: ['rolled back by hand'] });
    expect(JSON.stringify(await heard(events.modelPromoted))).not.toContain('a private word');
  });

  it('cannot promote what the gate refused', async () => {
    await bootstrap();
    await train('b', { comparison: { champion: 'v1', days: worse, slices: [], features: [] } }, day(22));
    await pass(day(22));
    const request = { model, version: 'v2', expectedChampion: '', note: '', force: false };
    await expect(call(client, 'promote', request)).rejects.toMatchObject({ code: 'NOT_SERVABLE' });
  });

  it.each([
    ['model', { model: 'trains', version: 'v0' }, 'UNKNOWN_MODEL'],
    ['version', { model, version: 'v9' }, 'UNKNOWN_VERSION'],
  ])('is told which there are when a %s is unknown', async (_, request, code) => {
    await expect(call(client, 'getVersion', request)).rejects.toMatchObject({ code });
  });
});
