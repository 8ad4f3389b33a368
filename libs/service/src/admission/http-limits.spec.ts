import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { limitHttp } from './http-limits.js';

let server: Server;
afterEach(() => server.close());

it('cuts a connection whose headers do not end, and never hands its request on', async () => {
  let asked = 0;
  server = createServer(() => asked++);
  limitHttp(server, { headersMs: 50, requestMs: 100, checkMs: 20 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const told = await new Promise<string>((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: '));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
  });
  expect([told.split('\r\n')[0], asked]).toEqual(['HTTP/1.1 408 Request Timeout', 0]);
  // Node's own patience is a minute, looked at twice.
}, 20_000);

it('bounds how much may come, and how long it may take', () => {
  server = createServer();
  limitHttp(server);
  expect(server).toMatchObject({
    ...{ headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5000 },
    ...{ maxHeadersCount: 64, maxConnections: 512 },
  });
});
