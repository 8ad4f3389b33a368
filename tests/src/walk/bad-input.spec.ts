/**
 * Bad input at every door of a running house: a typed error that says what to do, and nothing lost. What each service
 * refuses in detail stands in its own specs.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CallFailed, Control, Predictor, type Question, Reporter, subscribe } from '@driftloop/client';
import { inference, type RolloutFailed } from '@driftloop/contracts';
import { credentials } from '@grpc/grpc-js';
import { DAY, parcelsSpec, parcelsWorld, START } from '../worlds/parcels.js';
import { openPlayed, type Played } from './played.js';

const end = START + 10 * DAY;
const due = new Date(START + 9 * DAY + 12 * 3_600_000);
const home = mkdtempSync(join(tmpdir(), 'driftloop-bad-input-'));
let played: Played;
let predictor: Predictor;
let reporter: Reporter;

async function open(): Promise<void> {
  played = await openPlayed(home);
  const { house } = played;
  predictor = new Predictor(house.address('serving'));
  reporter = new Reporter({ featureStore: house.address('feature-store'), labeling: house.address('labeling') });
}

async function close(): Promise<void> {
  predictor.close();
  reporter.close();
  await played.close();
}

beforeAll(async () => {
  await open();
  await played.play(parcelsWorld(), end);
}, 60_000);

afterAll(async () => {
  if (played) await close();
  rmSync(home, { recursive: true, force: true });
});

/** The failure of a call that must fail. */
async function failure(call: Promise<unknown>): Promise<{ code: string; message: string; retriable: boolean }> {
  const error = await call.then(
    () => {
      throw new Error('it did not fail');
    },
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CallFailed);
  return error as CallFailed;
}

const typed = (code: string, message: RegExp, retriable = false) => ({
  code,
  message: expect.stringMatching(message),
  retriable,
});

const ask = (changes: Partial<Question> = {}) =>
  predictor.predict({ model: 'parcels', entityId: 'P9-60', inputs: {}, ...changes });
const inputs = { depot: 'd1', weight: 2, due_at: due };

describe('a question', () => {
  it.each<[string, Partial<Question>, ReturnType<typeof typed>]>([
    ['to an unknown model', { model: 'letters' }, typed('UNKNOWN_MODEL', /served: parcels.*driftloop apply/)],
    ['to an unknown version', { version: 'v9' }, typed('UNKNOWN_VERSION', /served: .*v1/)],
    ['about an unknown entity', { entityId: 'P0' }, typed('UNKNOWN_ENTITY', /send its inputs.*depot/)],
    ['about nobody, without inputs', { entityId: '' }, typed('MISSING_INPUT', /name an entity/)],
    ['with a wrong tensor name', { inputs: { ...inputs, wait: 1 } }, typed('UNKNOWN_INPUT', /takes depot/)],
    ['with a wrong datatype', { inputs: { ...inputs, weight: 'two' } }, typed('WRONG_DATATYPE', /send FP64/)],
    ['with a time that is none', { inputs: { ...inputs, due_at: 'noon' } }, typed('WRONG_CONTENTS', /due_at/)],
    ['of the past, without the credential', { eventTime: due }, typed('EVENT_TIME_FORBIDDEN', /replay credential/)],
  ])('%s is refused', async (_, question, expected) => {
    expect(await failure(ask(question))).toMatchObject(expected);
  });

  it('of a wrong shape, or too large, is refused', async () => {
    const client = new inference.GRPCInferenceServiceClient(
      played.house.address('serving'),
      credentials.createInsecure(),
    );
    const send = (shape: number[], values: number[]) => {
      const weight = { name: 'weight', datatype: 'FP64', shape, contents: { fp64Contents: values } };
      const request = inference.ModelInferRequest.fromPartial({ modelName: 'parcels', inputs: [weight] } as never);
      return new Promise<string>((resolve) => {
        client.modelInfer(request, (error) => resolve(error?.details ?? ''));
      });
    };
    expect(await send([2, 2], [1, 2, 3, 4])).toMatch(/"weight" has shape \[2,2\]; send \[n,1\]/);
    expect(await send([5000, 1], new Array(5000).fill(1))).toMatch(/send at most \d+/);
    expect(await send([3e6, 1], new Array(3e6).fill(1))).toMatch(/at most 16777216 bytes/);
    client.close();
  });

  it('that is right is answered after all of these', async () => {
    expect(await ask({ inputs })).toMatchObject({ version: 'v1', arm: 'champion' });
  });
});

describe('a model file', () => {
  it.each([
    ['that is no YAML', 'a: [', /\(file\) \(line 1, column 1\): not YAML or JSON/],
    ['that is something else', 'hello', /spec has \d+ fault/],
    ['of another version of the schema', parcelsSpec([['driftloop/v1', 'driftloop/v9']]), /apiVersion/],
    [
      'with an unknown field',
      parcelsSpec([['task: binary', 'task: binary\n  tsak: 1']]),
      /spec\.tsak \(line 7, column 3\): .*did you mean "task"/,
    ],
    [
      'that refers to what is not there',
      parcelsSpec([['latest: traffic', 'latest: trafic']]),
      /features\.3\.latest \(line 21, column 9\): no source "trafic"; did you mean "traffic"\? \(known: orders, handed, traffic/,
    ],
    ['larger than a page', `${parcelsSpec()}# ${'x'.repeat(300_000)}`, /larger than 256 KiB|HTTP_413|too large/],
  ])('%s is refused, each fault with its path', async (_, spec, message) => {
    const refused = await failure(played.control.apply(spec));
    expect(`${refused.code} ${refused.message}`).toMatch(message);
    const models = await played.control.models();
    expect(models.map(({ model, revision }) => [model, revision])).toEqual([['parcels', 1]]);
  });

  it('that takes away the features of trained versions is refused', async () => {
    const changed = parcelsSpec([['    - input: weight\n', '']]);
    expect((await failure(played.control.apply(changed))).message).toMatch(/declare a new model|another name/);
  });
});

describe('facts and outcomes', () => {
  const fact = { entityId: 'P99-1', eventTime: due, knownAt: due, values: { weight: 1, depot: 'd1' } };
  const outcome = { entityId: 'P99-1', entityTime: due, knownAt: due, value: 1 };

  it('of an unknown source, model or label are refused', async () => {
    const stream = reporter.facts();
    expect(await failure(stream.send('parcels', 'rumours', [fact]))).toMatchObject({
      code: expect.stringMatching(/SOURCE/),
      message: expect.stringMatching(/rumours.*orders/),
    });
    stream.close();
    expect((await failure(reporter.outcomes('parcels.early', [outcome]))).message).toMatch(/parcels\.late/);
  });

  it('are refused row by row, the good ones kept', async () => {
    const bad = { ...outcome, value: Number.NaN };
    const { accepted, rejected } = await reporter.outcomes('parcels.late', [outcome, bad]);
    expect([accepted, rejected.map(({ index }) => index)]).toEqual([1, [1]]);
    const stream = reporter.facts();
    const wrong = { ...fact, values: { weight: 'heavy' } };
    const reply = await stream.send('parcels', 'orders', [fact, wrong]);
    expect(reply.rejected).toMatchObject([{ index: 1, reason: expect.stringMatching(/weight/) }]);
    stream.close();
  });
});

describe('the gateway', () => {
  it.each([
    ['an unknown cycle', (c: Control) => c.cycle('ffffffff'), /ffffffff/],
    ['an unknown model', (c: Control) => c.status('letters'), /letters/],
    ['a model that is a path', (c: Control) => c.rollout('../../ready'), /ready/],
    ['the clock, without the credential', (c: Control) => c.passTime(due), /replay credential/],
  ])('refuses %s', async (_, call, message) => {
    expect((await failure(call(new Control(played.house.url)))).message).toMatch(message);
  });

  it('refuses a body that is no JSON, and a door that is not there', async () => {
    const body = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' };
    expect((await fetch(`${played.house.url}/v1/apply`, body)).status).toBe(400);
    const lost = await fetch(`${played.house.url}/v1/nowhere`);
    expect([lost.status, await lost.json()]).toEqual([404, expect.objectContaining({ code: 'HTTP_404' })]);
  });
});

it('a model file whose bytes have changed on disk is not served: the last good one answers, and it is told', async () => {
  const version = (await played.control.versions('parcels')).find((v) => v.version === 'v1')!;
  const path = await played.house.store.objects.getFile(version.released!.uri);
  const bytes = readFileSync(path);
  await close();

  writeFileSync(path, Buffer.concat([bytes.subarray(0, 100), Buffer.from('!'), bytes.subarray(101)]));
  await open();
  expect(await ask({ inputs })).toMatchObject({ version: 'v0', probability: 0.4 });
  expect((await failure(ask({ inputs, version: 'v1' }))).message).toMatch(/v1/);
  const told = await firstFailure();
  expect(told).toMatchObject({
    version: 'v1',
    code: 'MODEL_CORRUPT',
    reason: expect.stringMatching(/Restore its bytes/),
  });
  expect(played.house.services.get('registry')!.reasons()).toEqual([]);
  await close();

  writeFileSync(path, bytes);
  await open();
  expect(await ask({ inputs })).toMatchObject({ version: 'v1' });
  expect(played.diary().position()!.played).toBe(end);
}, 60_000);

it('refuses a world whose steps are longer than its sources may be silent', async () => {
  const hasty = { ...parcelsWorld(), step: 7 * 3_600_000 };
  await expect(played.play(hasty, end)).rejects.toThrow(/passes 7 h at once .* monitoring\.silence is 6h: make/);
});

async function firstFailure(): Promise<RolloutFailed> {
  const ending = new AbortController();
  const options = { topics: ['rollout.failed'], after: 'earliest', signal: ending.signal };
  const timer = setTimeout(() => ending.abort(), 10_000);
  for await (const { data } of subscribe(played.house.url, {}, options)) {
    clearTimeout(timer);
    return data as RolloutFailed;
  }
  throw new Error('no rollout.failed within ten seconds');
}
