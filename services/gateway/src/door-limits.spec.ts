/** What the HTTP door lets in, from whom, and what an idle event stream costs. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Bus } from '@driftloop/bus';
import { testService } from '@driftloop/testing/service';
import { EventStream } from './event-stream.js';
import { EventTail } from './event-tail.js';
import { gateway } from './index.js';

type Service = Awaited<ReturnType<typeof testService>>;

const names = ['LABELING', 'FEATURE_STORE', 'TRAINING', 'REGISTRY', 'SERVING', 'MONITORING'];
const nobody = Object.fromEntries(names.map((name) => [`DRIFTLOOP_${name}_ADDRESS`, '127.0.0.1:1']));
const lines: string[] = [];
let service: Service;

beforeAll(async () => {
  service = await testService(gateway, { environment: nobody, logLines: { write: (line) => void lines.push(line) } });
});
afterAll(() => service.close());
beforeEach(() => {
  lines.length = 0;
});

/** `fetch` sets some headers itself. */
async function ask(path: string, options: { method?: string; headers?: object; setHost?: boolean }, body?: Buffer) {
  const sent = httpRequest(`http://127.0.0.1:${service.httpPort}${path}`, options as object);
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

it.each(['file://', 'data:text/html,x', 'data:', 'null', 'http://', 'blob:http://evil.example/x', 'javascript:0'])(
  'takes the origin %s for another site',
  async (origin) => {
    const { status, text } = await ask('/v1/events?topics=x', { headers: { origin } });
    expect([status, JSON.parse(text).code]).toEqual([403, 'FOREIGN_ORIGIN']);
  },
);

it('takes an empty host for another site', async () => {
  const { status } = await ask('/v1/events?topics=x', { headers: { host: '' }, setHost: false });
  expect(status).toBe(403);
});

it('refuses a credential that no header may have, and no line of the log repeats it', async () => {
  const authorization = Buffer.from('Bearer schlüssel-zum-haus').toString('latin1');
  const { status, text } = await ask('/v1/models', { headers: { authorization } });
  expect([status, JSON.parse(text).code]).toEqual([401, 'CREDENTIAL_REFUSED']);
  expect(text + lines.join('')).not.toContain('zum-haus');
});

it('does not say what it is made of', async () => {
  const { headers } = await ask('/v1/services', {});
  expect(headers).not.toHaveProperty('x-powered-by');
});

it.each([
  ['too large', { 'content-type': 'application/json' }, Buffer.from(`{"spec":"${'x'.repeat(200_000)}"}`)],
  [
    'small, and too large when it is expanded',
    { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    gzipSync(`{"spec":"${'x'.repeat(50_000_000)}"}`),
  ],
])("refuses a body that is %s as its sender's fault", async (_, headers, body) => {
  const { status, text } = await ask('/v1/apply', { method: 'POST', headers }, body);
  expect([status, JSON.parse(text).code, lines]).toEqual([413, 'HTTP_413', []]);
});

it('refuses a body that says it is gzip and is not', async () => {
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const { status } = await ask('/v1/apply', { method: 'POST', headers }, Buffer.from('{}'));
  expect([status, lines]).toEqual([400, []]);
});

it('refuses a text that is too long for its kind, and says how long it may be', async () => {
  const headers = { 'content-type': 'application/json' };
  const accept = (note: string) =>
    ask('/v1/clock/accept', { method: 'POST', headers }, Buffer.from(JSON.stringify({ note })));
  const { status, text } = await accept('n'.repeat(2001));
  expect([status, JSON.parse(text)]).toEqual([
    400,
    expect.objectContaining({
      code: 'BODY_INVALID',
      message: 'note: is 2001 characters long; send at most 2000 characters',
    }),
  ]);
  expect((await accept('n'.repeat(2000))).status).not.toBe(400);
});

it('leaves event streams to others than the caller that has most', async () => {
  const ending = new AbortController();
  const follow = () => fetch(`http://127.0.0.1:${service.httpPort}/v1/events`, { signal: ending.signal });
  const streams = await Promise.all(Array.from({ length: 40 }, follow));
  const refused = streams.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(8);
  expect(await refused[0].json()).toMatchObject({ code: 'TOO_MANY_STREAMS', retriable: true });
  ending.abort();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const again = new AbortController();
  const after = await fetch(`http://127.0.0.1:${service.httpPort}/v1/events`, { signal: again.signal });
  expect(after.status).toBe(200);
  again.abort();
});

it('keeps no place for those who hang up while it is looked up where to begin', async () => {
  const stream = service.app.get(EventStream);
  const { promise: looked, resolve } = Promise.withResolvers<void>();
  const { begin } = stream;
  let beginning = 0;
  stream.begin = async (...from) => {
    beginning++;
    await looked;
    return begin.apply(stream, from);
  };
  const ending = new AbortController();
  const follow = (signal: AbortSignal) => fetch(`http://127.0.0.1:${service.httpPort}/v1/events`, { signal });
  const hungUp = Array.from({ length: 30 }, () => follow(ending.signal).catch((error: Error) => error.name));
  while (beginning < 30) await new Promise((resolve) => setTimeout(resolve, 10));
  ending.abort();
  expect(new Set(await Promise.all(hungUp))).toEqual(new Set(['AbortError']));
  // The server hears of it a little later.
  await new Promise((resolve) => setTimeout(resolve, 100));
  resolve();
  stream.begin = begin;
  await new Promise((resolve) => setTimeout(resolve, 100));
  const again = new AbortController();
  const more = await Promise.all([1, 2, 3].map(() => follow(again.signal)));
  expect(more.map(({ status }) => status)).toEqual([200, 200, 200]);
  again.abort();
});

it('asks the bus as often for sixty-four idle streams as for one', async () => {
  const asked = async (streams: number): Promise<number> => {
    const { bus } = service.ground;
    let reads = 0;
    const counting = {
      ends: (topic: string) => bus.ends(topic),
      read: (...asked: Parameters<Bus['read']>) => {
        reads++;
        return bus.read(...asked);
      },
    };
    let looks = 0;
    const looking = (topic: string) => {
      looks++;
      return bus.ends(topic);
    };
    const tail = new EventTail({ ends: looking } as Bus);
    const stream = new EventStream(counting as Bus, tail);
    const ending = new AbortController();
    const position = await stream.begin(['time.passed'], 'latest');
    const followed = Array.from({ length: streams }, () => stream.follow({ ...position }, ending.signal).next());
    await new Promise((resolve) => setTimeout(resolve, 150));
    const before = [looks, reads];
    await new Promise((resolve) => setTimeout(resolve, 1000));
    ending.abort();
    await Promise.all(followed);
    expect(reads).toBe(before[1]);
    return looks - before[0];
  };
  expect(await asked(64)).toBeLessThanOrEqual(11);
  expect(await asked(1)).toBeLessThanOrEqual(11);
});
