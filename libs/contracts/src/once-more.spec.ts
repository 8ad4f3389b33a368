import { createServer, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { inference } from './index.js';
import { targetOf } from './several-addresses.js';

const headers = { ':status': 200, 'content-type': 'application/grpc' };
const empty = Buffer.from([0, 0, 0, 0, 0]);
const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

/** An HTTP/2 server that counts questions and does with each what `answer` does. */
async function replica(answer: (stream: ServerHttp2Stream) => void) {
  const sessions = new Set<Http2Session>();
  const server = createServer();
  let asked = 0;
  server.on('session', (session) => sessions.add(session).size);
  server.on('stream', (stream) => {
    asked++;
    stream.on('error', () => {});
    answer(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: () => {
      for (const session of sessions) session.destroy();
      server.close();
    },
  });
  return { port: (server.address() as AddressInfo).port, asked: () => asked };
}

const answers = (stream: ServerHttp2Stream) => {
  stream.respond(headers, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(empty);
};
/** Dies with its answer begun. */
const dies = (stream: ServerHttp2Stream) => {
  stream.respond(headers);
  setImmediate(() => stream.session?.socket.destroy());
};
const refuses = (stream: ServerHttp2Stream) => {
  stream.respond(headers, { waitForTrailers: true });
  const said = Buffer.from('{"code":"AWAY"}').toString('base64');
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '14', 'driftloop-error-bin': said }));
  stream.end();
};

function caller(...ports: number[]) {
  const { target, options } = targetOf(ports.map((port) => `127.0.0.1:${port}`).join(','));
  const client = new inference.GRPCInferenceServiceClient(target, credentials.createInsecure(), options);
  open.push(client);
  return client;
}
const ask = (client: inference.GRPCInferenceServiceClient) =>
  new Promise<ServiceError | null>((resolve) => {
    const deadline = { deadline: Date.now() + 10_000 };
    client.serverLive({}, deadline as never, ((error: ServiceError | null) => resolve(error)) as never);
  });

it('asks once more where a server died between the header and the message of its answer', async () => {
  let isLeft = true;
  const one = await replica((stream) => (isLeft ? dies(stream) : answers(stream)));
  const other = await replica((stream) => (isLeft ? dies(stream) : answers(stream)));
  const client = caller(one.port, other.port);
  const asking = ask(client);
  while (one.asked() + other.asked() === 0) await new Promise((resolve) => setImmediate(resolve));
  isLeft = false;
  expect(await asking).toBeNull();
  expect(one.asked() + other.asked()).toBe(2);
});

it('asks once more only once, and then says that it was lost', async () => {
  const [one, other] = [await replica(dies), await replica(dies)];
  expect(await ask(caller(one.port, other.port))).toMatchObject({ code: 14 });
  expect(one.asked() + other.asked()).toBe(2);
});

it('believes a server that refuses, and asks nobody else', async () => {
  const [one, other] = [await replica(refuses), await replica(refuses)];
  expect(await ask(caller(one.port, other.port))).toMatchObject({ code: 14 });
  expect(one.asked() + other.asked()).toBe(1);
});
