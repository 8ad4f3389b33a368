/** What a gRPC door lets in: nothing is decoded that is refused, whoever is refused is told so, and nothing is held after. */
import { connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { LabelingClient, LabelingService } from '@driftloop/contracts';
import { testService } from '@driftloop/testing/service';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { GrpcDoor } from '../door.js';
import { errorKey, grpcClient, type RunningService, type ServiceDefinition } from '../index.js';
import { tiny, world } from '../testing/tiny-service.js';

const token = 'a-token-of-some-length';
const path = '/driftloop.v1.Labeling/RecordOutcomes';
const streamPath = '/driftloop.v1.Labeling/StreamOutcomes';
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

let decoded = 0;
const counting = Object.fromEntries(
  Object.entries(LabelingService).map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer) => {
      decoded++;
      return method.requestDeserialize(bytes);
    };
    return [name, { ...method, requestDeserialize }];
  }),
);
const counted: ServiceDefinition = {
  ...tiny,
  grpc: { packages: { 'driftloop.v1.Labeling': counting as typeof LabelingService }, port: 7001 },
};

async function started(options: Parameters<typeof testService>[1] = {}) {
  decoded = 0;
  const service = await testService(counted, options);
  open.push(service);
  return service;
}

type Raw = Client & { ask(bytes: Buffer, metadata?: Metadata): Promise<ServiceError | undefined> };
const gzip = 2;

/** Sends bytes as they are, compressed or not. */
function raw(port: number, compression = 0): Raw {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': compression as 0 | 2,
    'grpc.max_send_message_length': -1,
    // Or clients of one process would share a connection.
    'grpc.use_local_subchannel_pool': 1,
  });
  open.push(client);
  const same = (bytes: Buffer) => bytes;
  const ask = (bytes: Buffer, metadata = new Metadata()) =>
    new Promise<ServiceError | undefined>((resolve) => {
      client.makeUnaryRequest(path, same, same, bytes, metadata, (error) => resolve(error ?? undefined));
    });
  return Object.assign(client, { ask });
}

const empties = (count: number) => Buffer.alloc(2 * count, Buffer.from([0x12, 0x00]));
const codeOf = (error: ServiceError | undefined) => {
  const [sent] = error?.metadata.get(errorKey) ?? [];
  return sent && (JSON.parse(sent.toString()) as { code: string }).code;
};
const labelled = (label: string) =>
  Buffer.from(LabelingService.recordOutcomes.requestSerialize({ label, outcomes: [], watermark: undefined }));

/** A message as gRPC frames it. */
function frame(message: Buffer, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Asks without a gRPC client; resolves with the headers that hold the status. */
function asked(port: number, headers: Record<string, string>, body: Buffer): Promise<IncomingHttpHeaders> {
  const session = connect(`http://127.0.0.1:${port}`);
  open.push(session);
  return new Promise((resolve) => {
    const fixed = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request({ ...fixed, ...headers });
    stream.on('response', resolve);
    stream.on('trailers', resolve);
    stream.on('error', () => {});
    stream.end(body);
  });
}

/** What the door of a running service holds. */
function admittedBy(service: RunningService): unknown {
  const servers = service.app.getMicroservices() as unknown as { serverInstance: Partial<GrpcDoor> }[];
  return servers.map(({ serverInstance }) => serverInstance.admitted).find(Boolean);
}

describe.each([
  ['as it is', 0],
  ['compressed', gzip],
])('a message of empty submessages, %s', (_, compression) => {
  it('is refused without a credential before anything is expanded or decoded', async () => {
    const service = await started({ environment: { DRIFTLOOP_TOKEN: token } });
    const error = await raw(service.port, compression).ask(empties(4_000_000));
    expect([error?.code, codeOf(error)]).toEqual([status.UNAUTHENTICATED, 'CREDENTIAL_MISSING']);
    expect(decoded).toBe(0);
  });

  it('is refused where it is larger than the method takes', async () => {
    const service = await started();
    const error = await raw(service.port, compression).ask(empties(8_000_000));
    expect([error?.code, codeOf(error)]).toEqual([status.RESOURCE_EXHAUSTED, 'MESSAGE_TOO_LARGE']);
    expect(decoded).toBe(0);
  });

  it('is refused where it holds more than the method takes, however few its bytes', async () => {
    const service = await started();
    const error = await raw(service.port, compression).ask(empties(4_000_000));
    expect([error?.code, codeOf(error)]).toEqual([status.RESOURCE_EXHAUSTED, 'MESSAGE_HOLDS_TOO_MUCH']);
    expect(decoded).toBe(0);
  });
});

it.each([
  ['ends in the middle', Buffer.from([0x0a, 0x05, 0x61])],
  ['has a group', Buffer.from([0x0b, 0x0c])],
  ['has a field without a number', Buffer.from([0x00, 0x00])],
])('refuses a message that %s as its fault, and logs nothing of it', async (_, bytes) => {
  const lines: string[] = [];
  const service = await started({ logLines: { write: (line) => void lines.push(line) } });
  lines.length = 0;
  const error = await raw(service.port).ask(bytes);
  expect([error?.code, codeOf(error)]).toEqual([status.INVALID_ARGUMENT, 'MESSAGE_MALFORMED']);
  expect([decoded, lines]).toEqual([0, []]);
});

it('refuses what says that it is gzip and is not', async () => {
  const service = await started();
  // A client would compress: the frame is made by hand.
  const trailers = await asked(service.port, { 'grpc-encoding': 'gzip' }, frame(Buffer.from('no gzip'), 1));
  expect([trailers['grpc-status'], decoded]).toEqual([String(status.INVALID_ARGUMENT), 0]);
});

describe('five thousand calls at once', () => {
  /** However slow the machine: who gives up when is turns.spec.ts's. */
  const patient = { longestWaitMs: 100_000, standingMs: 100_000 };

  it('answers those that fit, refuses the others with a hint when to try again, and leaves none', async () => {
    const service = await started({ limits: patient });
    const clients = Array.from({ length: 5 }, () => raw(service.port));
    const asked = clients.flatMap((client) => Array.from({ length: 1000 }, () => client.ask(labelled('slow'))));
    const ends = await Promise.all(asked);
    const answered = ends.filter((error) => error === undefined).length;
    const refused = ends.filter((error) => error?.code === status.RESOURCE_EXHAUSTED);
    expect(answered + refused.length).toBe(5000);
    expect(answered).toBeGreaterThanOrEqual(512);
    for (const error of refused)
      expect([codeOf(error), error!.metadata.get('grpc-retry-pushback-ms')]).toEqual(['OVERLOADED', ['200']]);
  });

  it('gives another caller its turn while one has all of them', async () => {
    const service = await started({ limits: { ...patient, running: 4, queued: 100 } });
    const [greedy, modest] = [raw(service.port), raw(service.port)];
    for (const client of [greedy, modest]) expect(await client.ask(labelled('x'))).toBeUndefined();
    const ends: string[] = [];
    const asked = Array.from({ length: 40 }, () => greedy.ask(labelled('slow')).then(() => void ends.push('greedy')));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const other = modest.ask(labelled('slow')).then(() => void ends.push('other'));
    await Promise.all([...asked, other]);
    // Four were running; the next turn that is free is the other's.
    expect(ends.indexOf('other')).toBeLessThan(10);
  });

  it('drops a call whose deadline has passed while it waited', async () => {
    const service = await started({ limits: { ...patient, running: 1 } });
    const client = grpcClient(LabelingClient, `127.0.0.1:${service.port}`);
    open.push(client);
    const before = world.ended;
    const running = new Promise((resolve) =>
      client.recordOutcomes({ label: 'slow', outcomes: [], watermark: undefined }, resolve),
    );
    const late = await new Promise<ServiceError | null>((resolve) => {
      const deadline = Date.now() + 100;
      client.recordOutcomes(
        { label: 'slow', outcomes: [], watermark: undefined },
        new Metadata(),
        { deadline },
        resolve,
      );
    });
    expect(late?.code).toBe(status.DEADLINE_EXCEEDED);
    await running;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(world.ended).toBe(before + 1);
  });
});

it('holds nothing once its calls are over', async () => {
  const service = await started({ limits: { running: 2, queued: 8 } });
  const client = raw(service.port);
  await Promise.all([
    ...Array.from({ length: 20 }, () => client.ask(labelled('slow'))),
    client.ask(empties(4_000_000)),
    client.ask(Buffer.from([0x0a])),
  ]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(admittedBy(service)).toEqual({ running: 0, streams: 0, bytes: 0 });
});

it('cuts a reply that its caller does not read, and holds nothing for it', async () => {
  const service = await started({ limits: { unreadMs: 100 } });
  const session = connect(`http://127.0.0.1:${service.port}`, { settings: { initialWindowSize: 0 } });
  open.push(session);
  const fixed = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(fixed);
  stream.on('error', () => {});
  stream.end(frame(labelled('x')));
  await new Promise((resolve) => stream.once('close', resolve));
  expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
  expect(admittedBy(service)).toEqual({ running: 0, streams: 0, bytes: 0 });
});

it('refuses at once what would exceed the bytes in flight', async () => {
  const service = await started({ limits: { bytes: 100_000 } });
  const error = await raw(service.port).ask(labelled('x'.repeat(60_000)));
  expect([error?.code, codeOf(error)]).toEqual([status.RESOURCE_EXHAUSTED, 'OVERLOADED']);
  expect(decoded).toBe(0);
});

describe('a value that cannot be kept', () => {
  const wide = 2n ** 60n;
  const varint = (value: bigint): number[] =>
    value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];
  const timeOf = (seconds: bigint) => Buffer.from([8, ...varint(BigInt.asUintN(64, seconds))]);
  const field = (number: number, bytes: Uint8Array) =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);

  it.each([
    [
      'a time',
      field(3, timeOf(wide)),
      /RecordOutcomes: watermark\.seconds is 1152921504606846976; send a whole number/,
    ],
    ['a time before all others', field(3, timeOf(-wide)), /watermark\.seconds is -1152921504606846976/],
    ['a text', field(1, Buffer.from([65, 255])), /RecordOutcomes: label is no UTF-8/],
  ])('is refused by the name of its field, where it is %s of no row', async (_what, bytes, message) => {
    const error = await raw((await started()).port).ask(bytes);
    expect([error?.code, codeOf(error)]).toEqual([status.INVALID_ARGUMENT, 'FIELD_UNREADABLE']);
    expect(error?.details).toMatch(message);
  });

  it('is left to whoever judges rows, where it is in one', async () => {
    const row = Buffer.concat([field(1, Buffer.from([65, 255])), field(2, timeOf(wide))]);
    expect(await raw((await started()).port).ask(field(2, row))).toBeUndefined();
  });
});

describe('streams', () => {
  const ended = (client: Raw, messages: Buffer[], half = true) =>
    new Promise<ServiceError | undefined>((resolve) => {
      const same = (bytes: Buffer) => bytes;
      const stream = client.makeClientStreamRequest(streamPath, same, same, (error) => resolve(error ?? undefined));
      for (const message of messages) stream.write(message);
      if (half) stream.end();
    });

  it('ends each with a status, where one of its messages is malformed', async () => {
    const lines: string[] = [];
    const service = await started({ logLines: { write: (line) => void lines.push(line) } });
    lines.length = 0;
    const client = raw(service.port);
    const good = labelled('x');
    for (let i = 0; i < 40; i++) {
      const error = await ended(client, [good, good, Buffer.from([0x0a, 0x05])]);
      expect([error?.code, codeOf(error)]).toEqual([status.INVALID_ARGUMENT, 'MESSAGE_MALFORMED']);
    }
    expect(lines).toEqual([]);
  });

  it('ends one on which nothing comes', async () => {
    const service = await started({ limits: { idleMs: 100 } });
    const idle = await ended(raw(service.port), [labelled('x')], false);
    expect([idle?.code, codeOf(idle)]).toEqual([status.DEADLINE_EXCEEDED, 'REQUEST_LATE']);
  });

  it('leaves places to others than the caller that has most', async () => {
    const service = await started({ limits: { streams: 4 } });
    const greedy = raw(service.port);
    for (let i = 0; i < 2; i++) void ended(greedy, [], false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const refused = await ended(greedy, [labelled('x')]);
    expect([refused?.code, codeOf(refused)]).toEqual([status.RESOURCE_EXHAUSTED, 'OVERLOADED']);
    expect(await ended(raw(service.port), [labelled('x')])).toBeUndefined();
  });
});
