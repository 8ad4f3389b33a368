/**
 * Ports for processes that are about to start.
 *
 * I1  They lie below those that systems give to outgoing connections (Linux from 32768, others from 49152): between the
 *     look and the start, and while a killed process is away, no connection of anybody's takes them.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { defaultPorts, variableOf } from '@driftloop/service';

const [lowest, above] = [20_000, 32_000];
const tries = 1000;

/** For the environment of a process: every port of the house is one that the system chooses. */
export const anyPorts: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(defaultPorts).map((name) => [variableOf(name, 'PORT'), '0']),
);

/** So many ports that nobody listens at now, none twice. Throws where there are too few. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  const ports: number[] = [];
  try {
    for (let left = tries; ports.length < count && left > 0; left--) {
      const port = randomInt(lowest, above);
      const server = await listening(port);
      if (server) {
        servers.push(server);
        ports.push(port);
      }
    }
  } finally {
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  }
  if (ports.length < count)
    throw new Error(`of ports ${lowest} to ${above} only ${ports.length} are free, not ${count}`);
  return ports;
}

async function listening(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  return once(server, 'listening').then(
    () => server,
    () => undefined,
  );
}
