import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CycleClosed } from '@driftloop/contracts';
import { CallFailed } from './failure.js';
import { type ReceivedEvent, type SubscribeOptions, subscribe } from './subscriber.js';
import { httpDoor } from './testing/doors.js';

/** What was asked for, connection by connection. */
let asked: { topics: string | null; after: string | null; authorization: string | undefined }[];
let door: Awaited<ReturnType<typeof httpDoor>>;
/** How each connection is answered, the last one for all further ones. */
let answers: ((response: ServerResponse, request: IncomingMessage) => void)[];

beforeEach(async () => {
  asked = [];
  door = await httpDoor((request, response) => {
    const { searchParams } = new URL(request.url!, 'http://gateway');
    const { authorization } = request.headers;
    asked.push({ topics: searchParams.get('topics'), after: searchParams.get('after'), authorization });
    answers[Math.min(asked.length, answers.length) - 1](response, request);
  });
});
afterEach(() => door.close());

const message = (n: number, data: object = { tenant: 'main', model: 'm', cycleId: `c${n}`, outcome: 'promoted' }) => {
  const time = new Date(n * 1000).toISOString();
  const event = { id: `e${n}`, type: 'cycle.closed', source: '/driftloop/monitoring', subject: 'main/m', time, data };
  return `id: p${n}\nevent: cycle.closed\ndata: ${JSON.stringify(event)}\n\n`;
};
const stream = (response: ServerResponse, ...parts: (string | Buffer)[]) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(': driftloop\n\n');
  for (const part of parts) response.write(part);
};
const refuse = (response: ServerResponse, status: number, problem: object) =>
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));

async function take(n: number, options: Partial<SubscribeOptions> = {}, headers = {}): Promise<ReceivedEvent[]> {
  const found: ReceivedEvent[] = [];
  for await (const event of subscribe(door.url, headers, { topics: ['cycle.closed'], ...options })) {
    found.push(event);
    if (found.length === n) break;
  }
  return found;
}

describe('a subscriber', () => {
  it('gives each event with its payload decoded, its time, and the position after it', async () => {
    answers = [(response) => stream(response, message(1))];
    const [event] = await take(1, { topics: ['cycle.closed', 'model.promoted'] }, { authorization: 'Bearer t' });
    expect(asked).toEqual([{ topics: 'cycle.closed,model.promoted', after: 'latest', authorization: 'Bearer t' }]);
    expect(event).toMatchObject({
      id: 'e1',
      topic: 'cycle.closed',
      key: 'main/m',
      position: 'p1',
      time: new Date(1000),
    });
    expect((event.data as CycleClosed).version).toBe('');
    expect((event.data as CycleClosed).cycleId).toBe('c1');
  });

  it('begins after the position that it is given', async () => {
    answers = [(response) => stream(response, message(8))];
    await take(1, { after: 'p7' });
    expect(asked[0].after).toBe('p7');
  });

  it('puts together what arrives in pieces, in the middle of a character too', async () => {
    const bytes = Buffer.from(message(1, { tenant: 'main', model: 'Zürich ✈', cycleId: 'c' }));
    const half = bytes.indexOf('✈') + 1;
    answers = [
      (response) => {
        stream(response, bytes.subarray(0, half));
        setTimeout(() => response.write(Buffer.concat([bytes.subarray(half), Buffer.from(message(2))])), 30);
      },
    ];
    const [first, second] = await take(2);
    expect([(first.data as CycleClosed).model, second.id]).toEqual(['Zürich ✈', 'e2']);
  });

  it('comes back after a broken connection, from the last event that it gave', async () => {
    answers = [
      (response) => {
        stream(response, message(1), message(2), message(3).slice(0, 20));
        setTimeout(() => response.destroy(), 30);
      },
      (response) => response.destroy(),
      (response) => refuse(response, 503, { code: 'SERVICE_AWAY', message: 'soon', retriable: true }),
      (response) => refuse(response, 429, { code: 'TOO_MANY_STREAMS', message: 'full', retriable: true }),
      (response) => stream(response, message(3)),
    ];
    expect((await take(3)).map(({ id }) => id)).toEqual(['e1', 'e2', 'e3']);
    expect(asked.map(({ after }) => after)).toEqual(['latest', 'p2', 'p2', 'p2', 'p2']);
  });

  it('ends with the error of a gateway that refuses for good', async () => {
    answers = [
      (response) => refuse(response, 404, { code: 'UNKNOWN_TOPIC', message: 'no topic "x"', retriable: false }),
    ];
    const refused = await take(1, { topics: ['x'] }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CallFailed);
    expect(refused).toMatchObject({ code: 'UNKNOWN_TOPIC', message: 'no topic "x"', retriable: false });
    expect(asked).toHaveLength(1);
  });

  it('ends when it is told to, and lets the connection go', async () => {
    const ending = new AbortController();
    let gone: Promise<unknown> | undefined;
    answers = [
      (response) => {
        gone = new Promise((resolve) => response.on('close', resolve));
        stream(response, message(1));
      },
    ];
    const ids: string[] = [];
    for await (const { id } of subscribe(door.url, {}, { topics: ['cycle.closed'], signal: ending.signal })) {
      ids.push(id);
      ending.abort();
    }
    await gone;
    expect([ids, asked.length]).toEqual([['e1'], 1]);
  });
});
