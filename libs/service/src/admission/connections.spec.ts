/** Connections that cost and bring nothing are cut; the others go on. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { LabelingClient } from '@driftloop/contracts';
import { testService } from '@driftloop/testing/service';
import { call, grpcClient } from '../index.js';
import { tiny, world } from '../testing/tiny-service.js';
import { connectionOptions } from './connections.js';

const path = '/driftloop.v1.Labeling/RecordOutcomes';
const fixed = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };

let service: Awaited<ReturnType<typeof testService>>;
let other: LabelingClient;
beforeAll(async () => {
  service = await testService(tiny);
  other = grpcClient(LabelingClient, `127.0.0.1:${service.port}`);
});
afterAll(async () => {
  other.close();
  await service.close();
});
afterEach(async () => {
  const request = { label: 'x', outcomes: [], watermark: undefined };
  expect((await call(other, 'recordOutcomes', request)).accepted).toBe(1);
});

async function session(): Promise<ClientHttp2Session> {
  const opened = connectHttp2(`http://127.0.0.1:${service.port}`, { maxOutstandingPings: 10_000 });
  opened.on('error', () => {});
  await once(opened, 'connect');
  return opened;
}
const closed = (what: ClientHttp2Session | Socket) =>
  new Promise<'cut'>((resolve) => what.once('close', () => resolve('cut')));

it('cuts one that pings without end', async () => {
  const flooding = await session();
  const cut = closed(flooding);
  for (let i = 0; i < 300; i++) flooding.ping(() => {});
  expect(await cut).toBe('cut');
});

it('cuts one that opens streams and resets them, and begins no work for them', async () => {
  const before = world.ended;
  const flooding = await session();
  const cut = closed(flooding);
  for (let i = 0; i < 3000 && !flooding.destroyed; i++) {
    const stream = flooding.request(fixed);
    stream.on('error', () => {});
    stream.close(8);
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await cut).toBe('cut');
  expect(world.ended).toBe(before);
});

/** A frame of HTTP/2. */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** As every client does it: whoever asks whether it is there hears so. */
function answerPings(socket: Socket): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (let length = sizeOf(rest); rest.length >= length; length = sizeOf(rest)) {
      if (rest[3] === 6 && rest[4] === 0) socket.write(frame(6, 1, 0, rest.subarray(9, length)));
      rest = rest.subarray(length);
    }
  });
}

/** How long the frame is that a buffer begins with. */
const sizeOf = (bytes: Buffer) => (bytes.length < 9 ? Number.POSITIVE_INFINITY : 9 + bytes.readUIntBE(0, 3));

/** A header as HPACK writes one that is in no table. */
const literal = (name: string, value: string) =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);

it('does not tell a handler that its stream has ended where its caller broke off', async () => {
  const before = world.streamed;
  const socket = connect(service.port, '127.0.0.1');
  socket.on('error', () => {});
  answerPings(socket);
  await once(socket, 'connect');
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(4, 0, 0, Buffer.alloc(0)));
  const headers = { ...fixed, ':path': '/driftloop.v1.Labeling/StreamOutcomes', ':scheme': 'http', ':authority': 'x' };
  const ordered = Object.entries(headers).sort(([a], [b]) => a.localeCompare(b));
  const block = Buffer.concat(ordered.map(([name, value]) => literal(name, value)));
  const message = Buffer.from([0, 0, 0, 0, 3, 0x0a, 0x01, 0x78]);
  for (let stream = 1; stream < 20; stream += 2) {
    socket.write(Buffer.concat([frame(1, 4, stream, block), frame(0, 0, stream, message)]));
    await new Promise((resolve) => setTimeout(resolve, 20));
    // As Node's own client does it: the end, and then the reset with CANCEL.
    const reset = frame(3, 0, stream, Buffer.from([0, 0, 0, 8]));
    socket.write(Buffer.concat([frame(0, 1, stream, Buffer.alloc(0)), reset]));
  }
  // One that has ended is told.
  socket.write(Buffer.concat([frame(1, 4, 21, block), frame(0, 1, 21, message)]));
  while (world.streamed === before) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(world.streamed).toBe(before + 1);
  socket.destroy();
});

it('cuts one whose headers go on without end', async () => {
  const socket = connect(service.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  const cut = closed(socket);
  await once(socket, 'connect');
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(4, 0, 0, Buffer.alloc(0)));
  // POST, http: indexed fields; then literal ones of which there is no last.
  socket.write(frame(1, 0, 1, Buffer.from([0x83, 0x86])));
  const literal = Buffer.concat([Buffer.from([0x00, 0x01, 0x61, 0x7f, 0x81, 0x07]), Buffer.alloc(1024, 0x61)]);
  for (let i = 0; i < 500 && !socket.destroyed; i++) {
    socket.write(frame(9, 0, 1, literal));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await cut).toBe('cut');
});

it('refuses headers that are too many', async () => {
  const greedy = await session();
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x-${i}`, 'y']));
  const stream = greedy.request({ ...fixed, ...many });
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('close', resolve));
  expect(stream.rstCode).not.toBe(0);
  greedy.destroy();
});

it('refuses headers that are too long', async () => {
  const greedy = await session();
  const stream = greedy.request({ ...fixed, 'x-long': 'y'.repeat(70_000) });
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('close', resolve));
  expect(stream.rstCode).not.toBe(0);
  greedy.destroy();
});

it('takes so many connections and no more, and those that are there go on', async () => {
  const sockets = Array.from({ length: 1040 }, () => connect(service.port, '127.0.0.1'));
  for (const socket of sockets) socket.on('error', () => {});
  expect(await Promise.race(sockets.map(closed))).toBe('cut');
  for (const socket of sockets) socket.destroy();
});

it('asks a connection that is silent whether somebody is there', () => {
  const { 'grpc.keepalive_time_ms': time, 'grpc.keepalive_timeout_ms': timeout } = connectionOptions;
  expect([time, timeout]).toEqual([30_000, 20_000]);
});
