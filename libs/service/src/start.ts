/**
 * Starts a service on its ground: the module, its gRPC door, its events.
 *
 * Starting: topics, the lead where the service is led, the module's own start, the door, the events. Stopping runs the
 * other way round: no more calls, no more events (what runs ends), the module's own stop, the lead, the outbox, the ground.
 *
 * I1  A replica that waits for the lead has read nothing, hears nothing and has no door open: a client that has several
 *     addresses finds the leader by that (several-addresses.ts).
 * I2  A replica that loses the lead stops like any other; what it still does then is refused where it asks (leadership.ts).
 */
import 'reflect-metadata';
import { AdminService, events, type ServiceName } from '@driftloop/contracts';
import { type DynamicModule, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { openAccess } from './access.js';
import { Audit } from './audit.js';
import { processClock, WallClock } from './clock.js';
import { sayDoubts } from './clock-doubts.js';
import { Credentials } from './credentials.js';
import type { ServiceDefinition, StartOptions } from './definition.js';
import { DiskSpace, disksOf } from './disk-space.js';
import { GrpcDoor, PassToDoor } from './door.js';
import { errors } from './errors.js';
import type { Ground } from './ground.js';
import { Identity } from './identity.js';
import { type KitParts, kitOf } from './kit.js';
import { Led, Unled } from './leadership.js';
import { HttpDoor, listenHealth } from './listening.js';
import { Log, nestLog, openLog } from './log.js';
import { NoHttp } from './no-http.js';
import { once } from './once.js';
import { Readiness } from './readiness.js';
import { variableOf } from './settings.js';
import { observeBus } from './telemetry/bus-metrics.js';
import { observeRuntime } from './telemetry/runtime-metrics.js';
import { Tls } from './tls.js';
import { connect } from './transports.js';
import { logOptions, telemetryOf, watchedGround } from './watched.js';
import { PassErrorsOn, WhenStrategy } from './when-strategy.js';

export interface RunningService {
  readonly name: string;
  /** The gRPC port; 0 without a gRPC door. */
  readonly port: number;
  /** The HTTP port; 0 without an HTTP door. */
  readonly httpPort: number;
  /** The port of /livez and /readyz; 0 where they are not served. */
  readonly healthPort: number;
  readonly app: INestApplication;
  /** Running, and no partition paused. */
  ready(): boolean;
  /** Why it is not ready. */
  reasons(): string[];
  /** Stops gracefully and closes the ground too. Again is no error. */
  close(): Promise<void>;
  /** Ends as a process does that dies, except that the ground is closed: the lead runs out. For specs. */
  die(): Promise<void>;
}

interface Parts extends KitParts {
  readonly options: StartOptions;
  readonly tls?: Tls;
  readonly disks: DiskSpace;
}

const strategies = new WeakMap<INestApplication, WhenStrategy>();

/**
 * Starts a service; one that is led resolves when this replica leads. Throws AUTH_REQUIRED, TLS_REQUIRED, TLS_INVALID, TOKENS_INVALID, PORT_TAKEN,
 * LISTENER_NOT_DECLARED, GROUP_INVALID, STOPPED, or what the module's start throws; nothing of it is left then, and the
 * ground is closed.
 */
export async function startService(
  definition: ServiceDefinition,
  ground: Ground,
  options: StartOptions = {},
): Promise<RunningService> {
  const { settings } = ground;
  const telemetry = options.telemetry ?? telemetryOf(definition.name, settings);
  const log = openLog(definition.name, settings.logLevel, logOptions(settings, options.logLines, telemetry));
  const readiness = new Readiness();
  const identity = new Identity(definition.name, settings.replica);
  const credentials = new Credentials(settings);
  const watched = watchedGround(ground, telemetry);
  const clock = options.clock ?? processClock(settings.clock.maxGapMs);
  const audit = new Audit({ service: definition.name, connection: ground.connection, clock, log });
  const led = ledIn(definition, ground, log, clock);
  const leadership = led ?? new Unled();
  const disks = new DiskSpace(disksOf(settings.home), readiness, options.statfs);
  const own = { log, telemetry, readiness, credentials, audit, identity, clock, leadership, disks };
  const parts = { definition, ground, options, ...own, ...watched };
  const unheard = sayDoubts(clock, log);
  const closers = [() => telemetry.close(), () => ground.close(), async () => unheard()];
  const close = once(() => stop(readiness, closers));
  const die = () => {
    led?.abandon();
    return close();
  };
  try {
    if (led) await waitForLead(led, parts, closers);
    const tls = settings.tls && new Tls(settings.tls);
    const running = await open({ ...parts, tls }, closers);
    leadership.check();
    if (led) led.onLost = options.onLost ?? (() => void close().catch((err) => log.warn({ err }, 'closing failed')));
    return { ...running, close, die };
  } catch (error) {
    await close().catch((failure) => log.warn({ err: failure }, 'closing what was started failed'));
    throw error;
  }
}

/** The topics that a running service has handlers for, sorted; for checks over the whole house. */
export function handledTopics(app: INestApplication): string[] {
  return strategies.get(app)?.topics ?? [];
}

/** A home has one process, which need not ask. */
function ledIn({ name, leads }: ServiceDefinition, ground: Ground, log: Log, clock: WallClock): Led | undefined {
  const { connection, settings } = ground;
  if (!leads || settings.mode === 'embedded') return undefined;
  const { replica, leaseMs } = settings;
  return new Led({ connection, clock, log, name, replica, leaseMs });
}

async function waitForLead(
  led: Led,
  { definition, options, readiness }: Parts,
  closers: (() => Promise<unknown>)[],
): Promise<void> {
  closers.push(() => led.stop());
  readiness.standby(() => led.leader);
  const stop = () => void led.stop();
  options.signal?.addEventListener('abort', stop, { once: true });
  if (options.signal?.aborted) stop();
  const leads = await led.lead();
  options.signal?.removeEventListener('abort', stop);
  if (!leads) throw errors.STOPPED({ service: definition.name });
  readiness.starting();
}

async function open(parts: Parts, closers: (() => Promise<unknown>)[]): Promise<Omit<RunningService, 'close' | 'die'>> {
  const { definition, ground, readiness, telemetry, identity } = parts;
  openAccess(parts, closers);
  await parts.audit.open();
  const healthPort = await listenHealth(parts, closers);
  const endRuntime = observeRuntime(telemetry.metrics);
  closers.push(async () => endRuntime());
  const endDisks = await parts.disks.watch(telemetry.metrics);
  closers.push(async () => endDisks());
  for (const { topic, partitions, keep } of Object.values(events))
    await ground.bus.declare(topic, { partitions, keep });
  const app = await create(parts);
  closers.push(() => app.close());
  const { strategy: whens, microservice: heard } = connectEvents(app, parts);
  const grpc = definition.grpc && connectDoor(app, parts, definition.grpc);
  const door = grpc?.strategy;
  const http = definition.http && new HttpDoor(app, parts, definition.http.port);
  await app.init();
  closers.push(() => whens.close());
  if (grpc && door) {
    closers.push(() => door.close());
    await grpc.microservice.listen();
    const [service, address] = [definition.name as ServiceName, `127.0.0.1:${door.port}`];
    ground.addresses.started(service, address);
    closers.push(async () => ground.addresses.stopped(service, address));
  }
  if (http) closers.push(() => http.close());
  const httpPort = (await http?.listen()) ?? 0;
  await heard.listen();
  readiness.running();
  observeBus(telemetry.metrics, { bus: ground.bus, outbox: ground.outbox, identity, readiness });
  const { name } = definition;
  return {
    name,
    port: door?.port ?? 0,
    httpPort,
    healthPort,
    app,
    ready: () => readiness.ready,
    reasons: () => readiness.reasons,
  };
}

async function stop(readiness: Readiness, closers: (() => Promise<unknown>)[]): Promise<void> {
  readiness.stopping();
  const failures: unknown[] = [];
  for (const close of closers.reverse()) await close().catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

function create(parts: Parts): Promise<INestApplication> {
  const root: DynamicModule = { module: class Root {}, imports: [kitOf(parts), parts.definition.module] };
  const httpsOptions = parts.definition.http && parts.tls?.identity;
  const options = { logger: nestLog(parts.log), abortOnError: false, forceCloseConnections: true, httpsOptions };
  return parts.definition.http ? NestFactory.create(root, options) : NestFactory.create(root, new NoHttp(), options);
}

function connectEvents(app: INestApplication, parts: Parts) {
  const { definition, ground, bus, system, readiness, telemetry, log, identity, leadership } = parts;
  const { settings } = ground;
  const strategy = new WhenStrategy({
    service: definition.name,
    replica: settings.replica,
    bus,
    system,
    ...{ readiness, telemetry, log, leadership },
  });
  strategies.set(app, strategy);
  identity.groups = () => strategy.groups;
  return { strategy, microservice: connect(app, strategy, new PassErrorsOn()) };
}

function connectDoor(app: INestApplication, parts: Parts, grpc: NonNullable<ServiceDefinition['grpc']>) {
  const { definition, ground, options, readiness, telemetry, log, credentials, audit, leadership, tls } = parts;
  const { settings } = ground;
  const port = options.port ?? settings.ports[definition.name] ?? grpc.port;
  const variable = variableOf(definition.name, 'PORT');
  const packages = { ...grpc.packages, 'driftloop.v1.Admin': AdminService };
  const common = { service: definition.name, host: settings.host, port, variable, packages };
  const strategy = new GrpcDoor({
    ...common,
    readiness,
    telemetry,
    log,
    credentials,
    audit,
    leadership,
    tls,
    limits: options.limits,
  });
  return { strategy, microservice: connect(app, strategy, new PassToDoor()) };
}
