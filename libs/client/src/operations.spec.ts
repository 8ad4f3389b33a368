import type { IncomingMessage } from 'node:http';
import { Control } from './control.js';
import { Operations } from './operations.js';
import { httpDoor } from './testing/doors.js';

let door: Awaited<ReturnType<typeof httpDoor>>;
let answer: string;
let heard: { method?: string; url?: string; body: string }[];

beforeEach(async () => {
  heard = [];
  door = await httpDoor(({ method, url }: IncomingMessage, response, body) => {
    heard.push({ method, url, body });
    response.writeHead(200).end(answer);
  });
});
afterEach(() => door.close());

const operations = () => new Operations(new Control(door.url));

describe('operations', () => {
  it('give the services with their defaults filled in', async () => {
    answer = '{"services":[{"service":"training","ready":true,"groups":[{"name":"training.x","lag":"3"}]}]}';
    expect(await operations().services()).toMatchObject([
      { service: 'training', ready: true, reasons: [], groups: [{ name: 'training.x', lag: 3, dead: 0 }] },
    ]);
  });

  it('ask for the dead letters of a service or a group only where one is named', async () => {
    answer = '{"total":"2"}';
    expect(await operations().dead()).toEqual({ letters: [], total: 2 });
    await operations().dead({ service: 'feature-store', limit: 5 });
    await operations().dead({ group: 'training.a b', service: undefined });
    expect(heard.map(({ url }) => url)).toEqual([
      '/v1/dead?',
      '/v1/dead?service=feature-store&limit=5',
      '/v1/dead?group=training.a+b',
    ]);
  });

  it('give letters back, all of a group or those named', async () => {
    answer = '{"replayed":"4"}';
    expect(await operations().replay('training.x')).toBe(4);
    await operations().replay('training.x', ['e1']);
    expect(heard.map(({ method, url, body }) => [method, url, JSON.parse(body)])).toEqual([
      ['POST', '/v1/dead/replay', { group: 'training.x', eventIds: [] }],
      ['POST', '/v1/dead/replay', { group: 'training.x', eventIds: ['e1'] }],
    ]);
  });

  it('discard letters, those named or all of a group, with the note', async () => {
    answer = '{"discarded":"2","eventIds":["e1","e2"]}';
    expect(await operations().discard('training.x', ['e1', 'e2'], 'sent anew')).toEqual({
      discarded: 2,
      eventIds: ['e1', 'e2'],
    });
    await operations().discard('training.x', 'all');
    expect(heard.map(({ method, url, body }) => [method, url, JSON.parse(body)])).toEqual([
      ['POST', '/v1/dead/discard', { group: 'training.x', eventIds: ['e1', 'e2'], all: false, note: 'sent anew' }],
      ['POST', '/v1/dead/discard', { group: 'training.x', eventIds: [], all: true, note: '' }],
    ]);
  });

  it('hold and let go, with the note', async () => {
    answer = '{}';
    const acts = operations();
    await acts.pause('a b', 'why');
    await acts.resume('m');
    await acts.freeze('m', 'audit');
    await acts.thaw('m');
    expect(heard.map(({ url, body }) => [url, JSON.parse(body).note])).toEqual([
      ['/v1/models/a%20b/pause', 'why'],
      ['/v1/models/m/resume', ''],
      ['/v1/models/m/freeze', 'audit'],
      ['/v1/models/m/thaw', ''],
    ]);
  });

  it('tell a cycle in words', async () => {
    answer = '{"cycleId":"c1","passages":[{"title":"Why","eventTime":"2013-02-15T12:00:00Z","sentences":["So."]}]}';
    const told = await operations().explain('c/1');
    expect(heard[0].url).toBe('/v1/cycles/c%2F1/explanation');
    expect(told.passages).toEqual([{ title: 'Why', eventTime: new Date('2013-02-15T12:00:00Z'), sentences: ['So.'] }]);
    expect(told.remedies).toEqual([]);
  });
});
