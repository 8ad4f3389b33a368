import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Hearing } from './hearing.js';

const prediction = (id: string) => ({ id, version: 'v1', probability: 0.5, shadows: [] });
/** An event of the gateway's stream. */
const message = (n: number, ids: string[]) => {
  const data = { model: 'parcels', predictions: ids.map(prediction) };
  const event = {
    id: `e${n}`,
    type: 'predictions.made',
    source: '/driftloop/serving',
    subject: 'k',
    time: new Date(n),
    data,
  };
  return `id: p${n}\ndata: ${JSON.stringify(event)}\n\n`;
};

it('counts a prediction once that is heard again, also where it was written down before', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(message(1, ['a', 'b']) + message(2, ['c']) + message(1, ['a', 'b']));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const hearing = new Hearing(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {}, 'parcels', 'earliest');
  try {
    const known = new Map([['a', 1]]);
    while (hearing.waitingBeside(new Map()) < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(hearing.waitingBeside(known)).toBe(2);
    expect(hearing.take().map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(hearing.waitingBeside(known)).toBe(0);
  } finally {
    hearing.close();
    server.closeAllConnections();
    server.close();
  }
});
