/** Ports for processes: free, different, and none that an outgoing connection could be given meanwhile. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePorts } from './ports.js';

it('are different ones, which can be listened at', async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
  const servers = ports.map((port) => createServer().listen(port, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  for (const server of servers) server.close();
});

it('lie below the ports of outgoing connections', async () => {
  for (const port of await freePorts(50)) expect(port).toBeLessThan(32_768);
});
