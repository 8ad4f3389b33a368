/** The gRPC door: errors, credentials, health, reflection, ports, limits. */
import { LabelingClient, type LoopError } from '@driftloop/contracts';
import { testService } from '@driftloop/testing/service';
import { type Client, credentials, loadPackageDefinition, Metadata, status } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { service as healthService } from 'grpc-health-check';
import { call, errorKey, grpcClient, type RunningService } from './index.js';
import { tiny, world } from './testing/tiny-service.js';

type Running = Awaited<ReturnType<typeof testService>>;
const token = 'a-token-of-some-length';
const replayToken = 'another-token-for-replays';
const open: { close(): unknown }[] = [];
const request = (label: string) => ({ label, outcomes: [], watermark: undefined });

async function started(environment: Record<string, string> = {}, lines: string[] = []): Promise<Running> {
  const logLines = { write: (line: string) => void lines.push(line) };
  const service = await testService(tiny, { environment, logLines });
  open.push(service);
  return service;
}

function client(service: RunningService): LabelingClient {
  const made = grpcClient(LabelingClient, `127.0.0.1:${service.port}`);
  open.push(made);
  return made;
}

function bearer(secret: string): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${secret}`);
  return metadata;
}

const thrown = (work: Promise<unknown>) =>
  work.then(
    () => fail('it was answered'),
    (error: LoopError) => error,
  );
const fail = (why: string): never => {
  throw new Error(why);
};

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

describe('errors', () => {
  it('keeps a typed error whole across a call', async () => {
    const error = await thrown(call(client(await started()), 'recordOutcomes', request('unknown')));
    expect(error).toMatchObject({
      service: 'tiny',
      code: 'LABEL_UNKNOWN',
      status: 'NOT_FOUND',
      retriable: false,
      message: 'label unknown is not known',
      details: { label: 'unknown' },
    });
  });

  it('says that a call can be tried again when the service says so', async () => {
    const error = await thrown(call(client(await started()), 'recordOutcomes', request('away')));
    expect(error).toMatchObject({ code: 'AWAY', status: 'UNAVAILABLE', retriable: true });
  });

  it('tells nothing of an untyped error but an id that the log has', async () => {
    const lines: string[] = [];
    const error = await thrown(call(client(await started({}, lines)), 'recordOutcomes', request('crash')));
    expect(error).toMatchObject({ code: 'INTERNAL', status: 'INTERNAL', retriable: false });
    expect(error.message).toMatch(/^internal error [0-9a-f-]{36}$/);
    expect(JSON.stringify(error)).not.toContain('hunter2');
    const logged = lines.find((line) => line.includes(String(error.details.id)));
    expect(logged).toContain('hunter2');
    expect(logged).toContain('tiny-service');
  });

  it('shortens an error that is too large for trailing metadata', async () => {
    const asked = call(client(await started()), 'getOutcome', {
      label: 'a',
      entityId: 'b',
      entityTime: undefined,
    } as never);
    const error = await thrown(asked);
    expect(error).toMatchObject({ code: 'LABEL_UNKNOWN', details: { truncated: true } });
  });

  it.each([
    ['unknown', 'LABEL_UNKNOWN', status.NOT_FOUND],
    ['crash', 'INTERNAL', status.INTERNAL],
  ])('maps what a stream handler fails with: %s', async (label, code, expected) => {
    const asking = client(await started());
    const error = await new Promise<{ code: number; metadata: Metadata }>((resolve, reject) => {
      const stream = asking.streamOutcomes((failure, reply) => (failure ? resolve(failure) : reject(reply)));
      stream.write(request(label));
      stream.end();
    });
    expect(error.code).toBe(expected);
    expect(JSON.parse(error.metadata.get(errorKey)[0].toString())).toMatchObject({ code });
  });

  it('refuses a message above 16 MiB', async () => {
    const error = await thrown(call(client(await started()), 'recordOutcomes', request('x'.repeat(17 * 1024 * 1024))));
    expect(error).toMatchObject({ code: 'CALL_FAILED', status: 'RESOURCE_EXHAUSTED', retriable: false });
  });

  it('gives up at the deadline, retriably', async () => {
    const error = await thrown(call(client(await started()), 'recordOutcomes', request('slow'), { deadlineMs: 50 }));
    expect(error).toMatchObject({ code: 'CALL_TIMED_OUT', retriable: true });
  });

  it('says retriably that nobody is there, at once when somebody was', async () => {
    const service = await started();
    const asking = client(service);
    await call(asking, 'recordOutcomes', request('x'));
    await service.close();
    const error = await thrown(call(asking, 'recordOutcomes', request('x')));
    expect(error).toMatchObject({ code: 'CALL_UNAVAILABLE', retriable: true });
  });
});

describe('callers', () => {
  it('lets anybody on this machine in as main when there is no token', async () => {
    const reply = await call(client(await started()), 'recordOutcomes', request('x'));
    expect(reply).toMatchObject({ accepted: 1, duplicates: 0 });
  });

  it('believes event times only with the replay token', async () => {
    const asking = client(await started({ DRIFTLOOP_REPLAY_TOKEN: replayToken }));
    const replay = async (secret: string) =>
      (await call(asking, 'recordOutcomes', request('x'), { metadata: bearer(secret) })).duplicates === 1;
    expect([await replay(replayToken), await replay('something-else-altogether')]).toEqual([true, false]);
  });

  it('refuses calls without the token, or with another, once there is one', async () => {
    const lines: string[] = [];
    const asking = client(await started({ DRIFTLOOP_TOKEN: token, DRIFTLOOP_LOG_LEVEL: 'trace' }, lines));
    expect(await thrown(call(asking, 'recordOutcomes', request('x')))).toMatchObject({ code: 'CREDENTIAL_MISSING' });
    const wrong = call(asking, 'recordOutcomes', request('x'), { metadata: bearer(`${token}!`) });
    expect(await thrown(wrong)).toMatchObject({ code: 'CREDENTIAL_REFUSED', status: 'UNAUTHENTICATED' });
    const right = await call(asking, 'recordOutcomes', request('x'), { metadata: bearer(token) });
    expect(right.accepted).toBe(1);
    expect(lines.join('')).not.toContain(token);
  });

  it('carries the house token in the clients that the addresses make', async () => {
    const service = await started({ DRIFTLOOP_TOKEN: token });
    const asking = service.ground.addresses.client(LabelingClient, 'labeling');
    open.push(asking);
    expect((await call(asking, 'recordOutcomes', request('x'))).accepted).toBe(1);
  });

  it('refuses to be reached from other machines without a token', async () => {
    await expect(started({ DRIFTLOOP_HOST: '0.0.0.0' })).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
  });
});

describe('health and reflection', () => {
  it('answers health without a token: serving for the server and for each service', async () => {
    const service = await started({ DRIFTLOOP_TOKEN: token });
    const health = untyped(service, { 'grpc.health.v1.Health': healthService }, 'grpc.health.v1.Health');
    const check = (name: string) =>
      new Promise((resolve) => health.Check({ service: name }, (e: unknown, r: unknown) => resolve(r ?? e)));
    expect(await check('')).toEqual({ status: 'SERVING' });
    expect(await check('driftloop.v1.Labeling')).toEqual({ status: 'SERVING' });
    expect(await check('no.Such')).toMatchObject({ code: status.NOT_FOUND });
  });

  it('describes health by reflection as its own .proto does', async () => {
    const found = await reflect(await started(), 'v1', { fileContainingSymbol: 'grpc.health.v1.Health' });
    const [file] = found.fileDescriptorResponse.fileDescriptorProto.map((bytes: Buffer) => bytes.toString('latin1'));
    expect(file).toContain('StatusesEntry');
  });

  it.each(['v1', 'v1alpha'])('lists its services and describes their messages by reflection %s', async (version) => {
    const service = await started({ DRIFTLOOP_TOKEN: token });
    const listed = await reflect(service, version, { listServices: '*' });
    const names = listed.listServicesResponse.service.map((one: { name: string }) => one.name);
    expect(names.sort()).toEqual(['driftloop.v1.Admin', 'driftloop.v1.Labeling', 'grpc.health.v1.Health']);
    const found = await reflect(service, version, { fileContainingSymbol: 'driftloop.v1.RecordOutcomesRequest' });
    const files = found.fileDescriptorResponse.fileDescriptorProto.map((file: Buffer) => file.toString('latin1'));
    expect(files[0]).toContain('driftloop/v1/labeling.proto');
    expect(files.some((file: string) => file.includes('google/protobuf/timestamp.proto'))).toBe(true);
  });
});

it('says which variable changes a port that is taken, and leaves nothing behind', async () => {
  const first = await started();
  const second = testService(tiny, { port: first.port });
  await expect(second).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringContaining('DRIFTLOOP_LABELING_PORT'),
  });
  await call(client(first), 'recordOutcomes', request('x'));
});

it('answers a call that runs when it stops, and takes no more', async () => {
  const service = await started();
  const asking = client(service);
  await call(asking, 'recordOutcomes', request('x'));
  const running = call(asking, 'recordOutcomes', request('slow'));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const stopping = service.close();
  expect((await running).accepted).toBe(1);
  await stopping;
  expect(service.ready()).toBe(false);
  expect(await thrown(call(asking, 'recordOutcomes', request('x')))).toMatchObject({ code: 'CALL_UNAVAILABLE' });
});

it('ends when the calls that run have, though who called has gone', async () => {
  const service = await started();
  const before = world.ended;
  const asked = call(client(service), 'recordOutcomes', request('slow'), { deadlineMs: 100 });
  expect(await thrown(asked)).toMatchObject({ code: 'CALL_TIMED_OUT' });
  await service.close();
  expect(world.ended).toBe(before + 1);
});

it('waits for a service that is not up yet, until the deadline', async () => {
  const first = await started();
  await first.close();
  const early = client(first);
  const waiting = call(early, 'recordOutcomes', request('x'), { deadlineMs: 5000 });
  open.push(await testService(tiny, { port: first.port }));
  expect((await waiting).accepted).toBe(1);
});

// biome-ignore lint/suspicious/noExplicitAny: a client made at run time
type Untyped = Client & Record<string, (...args: any[]) => any>;

function untyped(service: RunningService, definition: unknown, name: string): Untyped {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  let found: any = loadPackageDefinition(definition as PackageDefinition);
  for (const part of name.split('.')) found = found[part];
  const made = new found(`127.0.0.1:${service.port}`, credentials.createInsecure());
  open.push(made);
  return made;
}

async function reflect(service: RunningService, version: string, question: object) {
  const root = new URL('../proto', import.meta.resolve('@grpc/reflection')).pathname;
  const definition = loadSync(`grpc/reflection/${version}/reflection.proto`, { includeDirs: [`${root}/`] });
  const stream = untyped(service, definition, `grpc.reflection.${version}.ServerReflection`).ServerReflectionInfo();
  // biome-ignore lint/suspicious/noExplicitAny: as above
  return new Promise<any>((resolve, reject) => {
    stream.on('data', resolve);
    stream.on('error', reject);
    stream.write(question);
    stream.end();
  });
}
