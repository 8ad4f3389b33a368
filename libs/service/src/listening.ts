/** A service's HTTP doors: the module's own, and health. */
import type { AddressInfo } from 'node:net';
import { events } from '@driftloop/contracts';
import type { INestApplication } from '@nestjs/common';
import { limitHttp } from './admission/http-limits.js';
import type { ServiceDefinition, StartOptions } from './definition.js';
import { Dependencies, dependenciesOf } from './dependencies.js';
import type { DiskSpace } from './disk-space.js';
import { errors } from './errors.js';
import type { Ground } from './ground.js';
import { healthPortOf, openHealth } from './health.js';
import type { Identity } from './identity.js';
import type { Log } from './log.js';
import type { Readiness } from './readiness.js';
import { RunningRequests } from './running-calls.js';
import { defaultPorts, variableOf } from './settings.js';
import type { Tls } from './tls.js';

interface Parts {
  readonly definition: ServiceDefinition;
  readonly ground: Ground;
  readonly options: StartOptions;
  readonly readiness: Readiness;
  readonly identity: Identity;
  readonly log: Log;
  readonly tls?: Tls;
  readonly disks: DiskSpace;
}

/** Opens the health door where there is one, for `closers` to close; its port, or 0. Throws PORT_TAKEN or PORT_NOT_OPENED. */
export async function listenHealth(
  { definition, ground, options, readiness, identity, disks, tls }: Parts,
  closers: (() => Promise<unknown>)[],
): Promise<number> {
  const { settings } = ground;
  const port = options.healthPort ?? healthPortOf(definition.name, settings, defaultPorts);
  if (port === undefined) return 0;
  const space = { name: 'disks', answer: () => disks.look() };
  const dependencies = new Dependencies([...dependenciesOf(ground, events.timePassed.topic), space]);
  const door = await openHealth({ identity, readiness, dependencies, host: settings.host, port, tls });
  closers.push(() => door.close());
  return door.port;
}

/** The module's door. It is made before the app's `init`, which reads what every request goes through. */
export class HttpDoor {
  private readonly requests = new RunningRequests();

  constructor(
    private readonly app: INestApplication,
    private readonly parts: Parts,
    private readonly usualPort: number,
  ) {
    app.useGlobalInterceptors(this.requests);
    parts.tls?.renewed((renewed) => app.getHttpServer().setSecureContext(renewed));
    limitHttp(app.getHttpServer());
    app.getHttpAdapter().getInstance().disable('x-powered-by');
  }

  /** Its port. Throws PORT_TAKEN or PORT_NOT_OPENED. */
  async listen(): Promise<number> {
    const { definition, ground, options } = this.parts;
    const { host, ports } = ground.settings;
    const name = definition.name === 'gateway' ? 'gateway' : (`${definition.name}-http` as 'serving-http');
    const port = options.httpPort ?? ports[name] ?? this.usualPort;
    const facts = { service: definition.name, host, port, variable: variableOf(name, 'PORT') };
    try {
      await this.app.listen(port, host);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw errors.PORT_TAKEN(facts);
      throw errors.PORT_NOT_OPENED({ ...facts, reason: (error as Error).message });
    }
    return (this.app.getHttpServer().address() as AddressInfo).port;
  }

  /** Takes no more connections, cuts streams, and ends when the requests that run have, or after 5 s. */
  async close(): Promise<void> {
    this.app.getHttpServer().close();
    await this.requests.ended(this.parts.log);
  }
}
