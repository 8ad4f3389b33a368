/** A service's HTTP doors: the module's own, and health. */
import { events } from '@driftloop/contracts';
import type { INestApplication } from '@nestjs/common';
import { Dependencies, dependenciesOf } from './dependencies.js';
import { errors } from './errors.js';
import type { Ground } from './ground.js';
import { healthPortOf, openHealth } from './health.js';
import type { Identity } from './identity.js';
import type { Readiness } from './readiness.js';
import { defaultPorts, variableOf } from './settings.js';
import type { ServiceDefinition, StartOptions } from './start.js';

interface Parts {
  readonly definition: ServiceDefinition;
  readonly ground: Ground;
  readonly options: StartOptions;
  readonly readiness: Readiness;
  readonly identity: Identity;
}

/** Opens the health door where there is one, for `closers` to close; its port, or 0. Throws PORT_TAKEN or PORT_NOT_OPENED. */
export async function listenHealth(
  { definition, ground, options, readiness, identity }: Parts,
  closers: (() => Promise<unknown>)[],
): Promise<number> {
  const { settings } = ground;
  const port = options.healthPort ?? healthPortOf(definition.name, settings, defaultPorts);
  if (port === undefined) return 0;
  const dependencies = new Dependencies(dependenciesOf(ground, events.timePassed.topic));
  const door = await openHealth({ identity, readiness, dependencies, host: settings.host, port });
  closers.push(() => door.close());
  return door.port;
}

/** Opens the module's door; its port. Throws PORT_TAKEN or PORT_NOT_OPENED. */
export async function listenHttp(
  app: INestApplication,
  { definition, ground, options }: Parts,
  usual: number,
): Promise<number> {
  const { host, ports } = ground.settings;
  const name = definition.name === 'gateway' ? 'gateway' : (`${definition.name}-http` as 'serving-http');
  const port = options.httpPort ?? ports[name] ?? usual;
  const facts = { service: definition.name, host, port, variable: variableOf(name, 'PORT') };
  try {
    await app.listen(port, host);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw errors.PORT_TAKEN(facts);
    throw errors.PORT_NOT_OPENED({ ...facts, reason: (error as Error).message });
  }
  return (app.getHttpServer().address() as { port: number }).port;
}
