/** What a service's module may have injected. */
import { Bus } from '@driftloop/bus';
import { Outbox } from '@driftloop/documents';
import { Objects } from '@driftloop/objects';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { Addresses } from './addresses.js';
import { AdminDoor } from './admin.grpc.js';
import { Audit } from './audit.js';
import { WallClock } from './clock.js';
import { Connection } from './connection.js';
import { Credentials } from './credentials.js';
import { CycleSpans } from './cycle-spans.js';
import type { ServiceDefinition } from './definition.js';
import { Foresight } from './foresight.js';
import type { Ground } from './ground.js';
import { Identity } from './identity.js';
import { Isolation } from './isolation.js';
import { Leadership } from './leadership.js';
import { Log } from './log.js';
import { Readiness } from './readiness.js';
import { Settings } from './settings.js';
import { Metrics } from './telemetry/metrics.js';
import { Telemetry } from './telemetry/telemetry.js';
import type { WatchedGround } from './watched.js';

/** An abstract class is a token too. */
type Token = Type<unknown> | (abstract new (...args: never[]) => unknown);

/** The injection tokens of every service's module. */
@Module({})
class Kit {}

export interface KitParts extends WatchedGround {
  readonly definition: ServiceDefinition;
  readonly ground: Ground;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly readiness: Readiness;
  readonly credentials: Credentials;
  readonly audit: Audit;
  readonly identity: Identity;
  readonly clock: WallClock;
  readonly leadership: Leadership;
}

/** The module that gives every service's own what a service is made of. */
export function kitOf(parts: KitParts): DynamicModule {
  const { definition, ground, bus, addresses, log, telemetry, credentials, audit, readiness, identity, clock } = parts;
  const values: [Token, unknown][] = [
    [Bus, bus],
    [Objects, ground.objects],
    [Outbox, ground.outbox],
    [Connection, ground.connection],
    [Addresses, addresses],
    [Settings, ground.settings],
    [WallClock, clock],
    [Foresight, new Foresight(ground.settings, clock)],
    [CycleSpans, new CycleSpans(definition.name, telemetry, clock)],
    [Log, log],
    [Telemetry, telemetry],
    [Metrics, telemetry.metrics],
    [Credentials, credentials],
    [Audit, audit],
    [Readiness, readiness],
    [Identity, identity],
    [Isolation, new Isolation(log, telemetry.metrics)],
    [Leadership, parts.leadership],
  ];
  const providers = values.map(([provide, useValue]) => ({ provide, useValue }));
  const controllers = definition.grpc ? [AdminDoor] : [];
  return { module: Kit, global: true, controllers, providers, exports: values.map(([token]) => token) };
}
