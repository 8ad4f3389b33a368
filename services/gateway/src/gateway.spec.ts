import { readFileSync } from 'node:fs';
import { get, request as httpRequest } from 'node:http';
import { events, TimePassed } from '@driftloop/contracts';
import { testService } from '@driftloop/testing/service';
import { gateway } from './index.js';

type Service = Awaited<ReturnType<typeof testService>>;

const token = 'replay-token-of-a-test';
let service: Service;
let url: string;

// Not the usual ports: somebody's own house may be running there.
const names = ['LABELING', 'FEATURE_STORE', 'TRAINING', 'REGISTRY', 'SERVING', 'MONITORING'];
const nobody = Object.fromEntries(names.map((name) => [`DRIFTLOOP_${name}_ADDRESS`, '127.0.0.1:1']));

beforeEach(async () => {
  service = await testService(gateway, { environment: { ...nobody, DRIFTLOOP_REPLAY_TOKEN: token } });
  url = `http://127.0.0.1:${service.httpPort}`;
});
afterEach(() => service.close());

const replay = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
const post = (path: string, body: unknown, headers: Record<string, string> = replay) =>
  fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
const ticks = () => service.ground.bus.read(events.timePassed.topic, 0, 0, 100);

describe('the replay clock', () => {
  it('publishes a tick and waits until everybody has heard it', async () => {
    const heard: string[] = [];
    const handle = async ({ data }: { data: unknown }) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      heard.push(TimePassed.fromJSON(data).now!.toISOString());
    };
    await service.ground.bus.subscribe({ group: 'slow', topics: ['time.passed'], handle });
    expect((await post('/v1/clock', { now: '2013-02-01T00:00:00Z' })).status).toBe(200);
    expect(heard).toEqual(['2013-02-01T00:00:00.000Z']);
  });

  it('waits for whoever holds the bus before it passes time', async () => {
    const hold = service.ground.bus.hold('a buffer');
    const passing = post('/v1/clock', { now: '2013-02-01T00:00:00Z' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await ticks()).toHaveLength(0);
    hold.release();
    expect((await passing).status).toBe(200);
    expect(await ticks()).toHaveLength(1);
  });

  it('waits no longer when the gateway stops', async () => {
    service.ground.bus.hold('somebody who never lets go');
    const passing = post('/v1/clock', { now: '2013-02-01T00:00:00Z' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const closing = service.close();
    const reply = await passing;
    expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([503, 'GATEWAY_STOPS']);
    await closing;
  });

  it('does not go back, and repeats an instant under the same id', async () => {
    await post('/v1/clock', { now: '2013-02-01T00:00:00Z' });
    await post('/v1/clock', { now: '2013-02-01T00:00:00Z' });
    const back = await post('/v1/clock', { now: '2013-01-31T00:00:00Z' });
    expect([back.status, ((await back.json()) as { code: string }).code]).toEqual([412, 'CLOCK_WENT_BACK']);
    expect(new Set((await ticks()).map((tick) => tick.id)).size).toBe(1);
  });

  it('obeys the replay credential only', async () => {
    const stranger = await post('/v1/clock', { now: '2013-02-01T00:00:00Z' }, { 'content-type': 'application/json' });
    expect([stranger.status, ((await stranger.json()) as { code: string }).code]).toEqual([403, 'REPLAY_ONLY']);
    expect(await ticks()).toHaveLength(0);
  });

  it.each([
    [{}],
    [{ now: 'soon' }],
    [{ now: 5 }],
    [{ now: '9999-01-01T00:00:00Z' }],
    [{ now: '2013-02-30T00:00:00Z' }],
    [{ now: '2013-02-01T00:00:00' }],
    [{ now: '2013' }],
    [{ now: '2013-02-01T00:00:00Z', nwo: '2013-02-02T00:00:00Z' }],
  ])('refuses %j as a time, and says what one looks like', async (body) => {
    const reply = await post('/v1/clock', body);
    expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([400, 'BODY_INVALID']);
  });
});

describe('the event stream', () => {
  async function read(
    query: string,
    n: number,
    headers: Record<string, string> = {},
  ): Promise<{ id: string; data: { id: string; type: string } }[]> {
    const ending = new AbortController();
    const response = await fetch(`${url}/v1/events?${query}`, { headers, signal: ending.signal });
    const found: { id: string; data: { id: string; type: string } }[] = [];
    let text = '';
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk).toString();
      for (const [, id, data] of text.matchAll(/^id: (.*)\nevent: .*\ndata: (.*)\n\n/gm))
        found.push({ id, data: JSON.parse(data) });
      if (found.length >= n) break;
      found.splice(0);
    }
    ending.abort();
    return found;
  }

  it('gives CloudEvents from the earliest on, and goes on after the one that was heard', async () => {
    for (const hour of ['00', '01', '02']) await post('/v1/clock', { now: `2013-02-01T${hour}:00:00Z` });
    const all = await read('topics=time.passed&after=earliest', 3);
    expect(all.map((message) => message.data.type)).toEqual(Array(3).fill('time.passed'));
    const rest = await read(`topics=time.passed&after=${all[0].id}`, 2);
    expect(rest.map((message) => message.data.id)).toEqual(all.slice(1).map((message) => message.data.id));
    const again = await read('topics=time.passed&after=earliest', 1, { 'last-event-id': all[1].id });
    expect(again.map((message) => message.data.id)).toEqual([all[2].data.id]);
  });

  it('answers HEAD at once, with no stream', async () => {
    const reply = await fetch(`${url}/v1/events`, { method: 'HEAD', signal: AbortSignal.timeout(2000) });
    expect([reply.status, reply.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^text\/event-stream/),
    ]);
    expect(await reply.text()).toBe('');
  });

  it('names the topics there are when one is unknown', async () => {
    const reply = await fetch(`${url}/v1/events?topics=labels.aded`);
    expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([404, 'UNKNOWN_TOPIC']);
  });

  it.each(['topics=labels.added&topics=time.passed', 'after=earliest&after=latest'])(
    'refuses ?%s, which is a list',
    async (query) => {
      const reply = await fetch(`${url}/v1/events?${query}`);
      expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([400, 'BODY_INVALID']);
    },
  );

  it.each(['%%', 'null', '5', '{"time.passed":5}', '{"time.passed":["x"]}', '{"time.passed":[1e99]}'])(
    'refuses the position %s, which it never gave',
    async (position) => {
      const after = position === '%%' ? '%25%25' : Buffer.from(position).toString('base64url');
      const reply = await fetch(`${url}/v1/events?topics=time.passed&after=${after}`);
      expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([400, 'BODY_INVALID']);
    },
  );
});

describe('the door', () => {
  const status = (options: object) =>
    new Promise((resolve, reject) => {
      const sent = httpRequest(`${url}/v1/events?topics=x`, options, (response) => resolve(response.statusCode));
      sent.on('error', reject).end();
    });

  it('is closed to pages of other sites', async () => {
    expect(await status({ headers: { host: 'evil.example' } })).toBe(403);
    expect(await status({ headers: { origin: 'https://evil.example' } })).toBe(403);
    expect(await status({ headers: { origin: url } })).toBe(404);
  });

  it('is open under any name that its network gives it where there is a token, and to a page of its own', async () => {
    const house = 'token-of-the-house';
    const other = await testService(gateway, { environment: { ...nobody, DRIFTLOOP_TOKEN: house } });
    const authorization = `Bearer ${house}`;
    const from = (headers: object) =>
      new Promise((resolve, reject) => {
        const door = `http://127.0.0.1:${other.httpPort}/v1/events?topics=x`;
        const sent = httpRequest(door, { headers: { host: 'gateway:3000', ...headers } }, (r) => resolve(r.statusCode));
        sent.on('error', reject).end();
      });
    expect(await from({ authorization })).toBe(404);
    expect(await from({ authorization, origin: 'http://gateway:3000' })).toBe(404);
    expect(await from({ authorization, origin: 'https://evil.example' })).toBe(403);
    await other.close();
  });

  it('asks everybody for the credential of the house, but whoever asks whether it is ready', async () => {
    const other = await testService(gateway, { environment: { ...nobody, DRIFTLOOP_TOKEN: 'token-of-the-house' } });
    const code = async (path: string, method = 'GET', headers = {}) => {
      const reply = await fetch(`http://127.0.0.1:${other.httpPort}/v1/${path}`, { method, headers });
      return ((await reply.json()) as { code: string }).code;
    };
    const looking = ['models', 'services', 'dead', 'events', 'cycles/c', 'models/m/status', 'models/m/quarantine'];
    const acting = [
      'apply',
      'clock',
      'settled',
      'dead/replay',
      'dead/discard',
      'models/m/promote',
      'models/m/quarantine/resolve',
    ];
    const codes = [...looking.map((path) => code(path)), ...acting.map((path) => code(path, 'POST'))];
    expect(new Set(await Promise.all(codes))).toEqual(new Set(['CREDENTIAL_MISSING']));
    expect(await code('models', 'GET', { authorization: 'Bearer of-somebody-else' })).toBe('CREDENTIAL_REFUSED');
    expect(await code('ready')).toBe('SERVICE_AWAY');
    await other.close();
  });

  it('says when a service behind it is away, and that trying again may help', async () => {
    const body = await new Promise<string>((resolve) => {
      get(`${url}/v1/ready`, (response) => response.on('data', (chunk) => resolve(String(chunk))));
    });
    expect(JSON.parse(body)).toMatchObject({ code: 'SERVICE_AWAY', retriable: true });
  });
});

describe('numbers', () => {
  const spec = readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8');
  const told = async (reply: Response) => [reply.status, ((await reply.json()) as { message: string }).message];

  it.each([-1, 1.5, 1e12, '7'])('of a body are whole and fit the messages: %j does not', async (seed) => {
    const problem = expect.stringMatching(/seed: must be a whole number from 0 to 999999999/);
    expect(await told(await post('/v1/models/flights/simulate', { spec, seed }))).toEqual([400, problem]);
  });

  it.each(['-1', '1.5', '10000000000', 'many', ''])('of a query are the same: %j is none', async (limit) => {
    const problem = expect.stringMatching(/limit: must be a whole number from 0 to 999999999/);
    expect(await told(await fetch(`${url}/v1/dead?limit=${limit}`))).toEqual([400, problem]);
  });
});

describe('operations', () => {
  it('shows a service that is away as not ready', async () => {
    const reply = (await (await fetch(`${url}/v1/services`)).json()) as { services: { service: string }[] };
    expect(reply.services.map(({ service }) => service)).toHaveLength(6);
    expect(reply.services.find(({ service }) => service === 'registry')).toEqual({
      ...{ service: 'registry', reasons: ['it does not answer'] },
    });
  });

  it.each([
    ['/v1/dead?service=kitchen', 404, 'UNKNOWN_SERVICE'],
    ['/v1/dead?group=kitchen.when-hungry', 404, 'UNKNOWN_SERVICE'],
    ['/v1/dead?limit=many', 400, 'BODY_INVALID'],
  ])('refuses %s', async (path, status, code) => {
    const reply = await fetch(url + path);
    expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([status, code]);
  });

  it.each([
    [{}, 'group'],
    [{ group: 'training.when-time-passed', all: 'yes' }, 'all'],
    [{ group: 'training.when-time-passed', all: true, note: 5 }, 'note'],
  ])('refuses to discard %j', async (body, field) => {
    const reply = await post('/v1/dead/discard', body);
    expect([reply.status, ((await reply.json()) as { message: string }).message]).toEqual([
      400,
      expect.stringContaining(field),
    ]);
  });

  it.each([
    [{}, 'group'],
    [{ group: 'training.when-time-passed', eventIds: 'all' }, 'eventIds'],
  ])('refuses to give back %j', async (body, field) => {
    const reply = await post('/v1/dead/replay', body);
    expect([reply.status, ((await reply.json()) as { message: string }).message]).toEqual([
      400,
      expect.stringContaining(field),
    ]);
  });
});
