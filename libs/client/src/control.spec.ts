import type { IncomingMessage } from 'node:http';
import { Control } from './control.js';
import { CallFailed } from './failure.js';
import { httpDoor } from './testing/doors.js';

let door: Awaited<ReturnType<typeof httpDoor>>;
let answer: { status: number; body: string };
let heard: { method?: string; url?: string; authorization?: string; body: string }[];

beforeEach(async () => {
  heard = [];
  door = await httpDoor(({ method, url, headers }: IncomingMessage, response, body) => {
    heard.push({ method, url, authorization: headers.authorization, body });
    response.writeHead(answer.status).end(answer.body);
  });
});
afterEach(() => door.close());

async function failure(call: Promise<unknown>): Promise<CallFailed> {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(CallFailed);
  return thrown as CallFailed;
}

describe('control', () => {
  it('sends the credential, and gives replies as messages with their times and defaults', async () => {
    answer = { status: 200, body: '{"cycleId":"c1","opened":"2013-02-15T12:00:00Z"}' };
    const cycle = await new Control(door.url, 'secret').cycle('c/1');
    expect(heard[0]).toMatchObject({ method: 'GET', url: '/v1/cycles/c%2F1', authorization: 'Bearer secret' });
    expect(cycle).toMatchObject({ cycleId: 'c1', opened: new Date('2013-02-15T12:00:00Z'), outcome: '', steps: [] });
  });

  it('sends what a person decides in the body', async () => {
    answer = { status: 200, body: '{}' };
    await new Control(door.url).promote('flights', 'v3', 'v2', 'looks right');
    expect(JSON.parse(heard[0].body)).toEqual({ version: 'v3', expectedChampion: 'v2', note: 'looks right' });
    expect(heard[0]).toMatchObject({ method: 'POST', url: '/v1/models/flights/promote' });
  });

  it('keeps the code, the message, the details and the hope of an error', async () => {
    const problem = { code: 'ALIAS_MOVED', message: 'it moved', retriable: true, details: { found: 'v3' } };
    answer = { status: 409, body: JSON.stringify(problem) };
    expect(await failure(new Control(door.url).models())).toMatchObject(problem);
  });

  it('says when what answers is not Driftloop', async () => {
    answer = { status: 200, body: '<html>' };
    expect((await failure(new Control(door.url).models())).code).toBe('NOT_DRIFTLOOP');
    answer = { status: 502, body: '{}' };
    expect((await failure(new Control(door.url).models())).code).toBe('HTTP_502');
  });

  it('says where nobody answers, and that trying again may help', async () => {
    const { url } = door;
    await door.close();
    const { code, message, retriable } = await failure(new Control(url).models());
    expect({ code, retriable }).toEqual({ code: 'UNREACHABLE', retriable: true });
    expect(message).toMatch(new RegExp(`^no gateway at ${url} \\(connect ECONNREFUSED.*is Driftloop running\\?$`));
    expect(await new Control(url).ready()).toBe(false);
  });
});
