/**
 * The gRPC door: Nest's transport with what every call of ours needs: the caller, a span, typed errors, health and
 * reflection, limits, an error that names the variable when the port is taken, and a stop that finishes what runs.
 *
 * I1  Whatever a handler throws or hands to its callback becomes a status; nothing untyped leaves (status.ts).
 * I2  A call is let in only with a credential that is known, where one is needed, and with the role that the method needs;
 *     of a led service, only by its leader; and only where there is room for it (admission/).
 * I3  No text of a request is longer than its kind may be, whatever the method does with it.
 */
import type { Duplex } from 'node:stream';
import { accessOf, longTextIn } from '@driftloop/contracts';
import {
  logVerbosity,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  setLogVerbosity,
  status,
} from '@grpc/grpc-js';
import { type ArgumentsHost, Catch, type RpcExceptionFilter } from '@nestjs/common';
import { type GrpcMethodStreamingType, ServerGrpc } from '@nestjs/microservices';
import { HealthImplementation } from 'grpc-health-check';
import { type Observable, throwError } from 'rxjs';
import { Admission, type Arriving } from './admission/admission.js';
import { connectionOptions, limitSessions, watchSessions } from './admission/connections.js';
import { type DoorLimits, usualDoor } from './admission/limits.js';
import type { Audit } from './audit.js';
import { attemptOf, audited, outcomeOf } from './audited-calls.js';
import { largestMessage } from './client.js';
import { type Caller, type Credentials, callerOf, checkRole } from './credentials.js';
import { errors } from './errors.js';
import type { Leadership } from './leadership.js';
import type { Log } from './log.js';
import type { Readiness } from './readiness.js';
import { addReflection } from './reflection.js';
import { mapErrors, type ReplyStream } from './reply-stream.js';
import { longestGoodbyeMs, RunningCalls } from './running-calls.js';
import { type Call, type Method, type Served, watchCall } from './served-call.js';
import { type StatusObject, statusOf } from './status.js';
import type { Telemetry } from './telemetry/telemetry.js';
import type { Tls } from './tls.js';

// What the library would print is thrown or answered as a typed error.
setLogVerbosity(logVerbosity.NONE);

export interface DoorParts {
  readonly service: string;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** The variable that changes the port. */
  readonly variable: string;
  readonly packages: Readonly<Record<string, ServiceDefinition>>;
  readonly credentials: Credentials;
  readonly audit: Audit;
  /** Encrypted, where there is one. */
  readonly tls?: Tls;
  readonly readiness: Readiness;
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly leadership: Leadership;
  /** In place of the usual ones. */
  readonly limits?: Partial<DoorLimits>;
}

type Done = ((error: unknown, value?: unknown, ...rest: unknown[]) => void) | undefined;
type Handler = (call: Call, done: Done) => Promise<void>;

/** Nest replaces errors that no filter takes: this one passes them on to the door. */
@Catch()
export class PassToDoor implements RpcExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): Observable<never> {
    const call = host.getArgByIndex<{ door?: (error: unknown) => StatusObject } | undefined>(2);
    return throwError(() => call?.door?.(error) ?? error);
  }
}

export class GrpcDoor extends ServerGrpc {
  /** The port that it listens on, once it does. */
  port = 0;
  readonly #running = new RunningCalls();
  readonly #admission: Admission;

  constructor(readonly parts: DoorParts) {
    const packageNames = [...new Set(Object.keys(parts.packages).map((name) => name.slice(0, name.lastIndexOf('.'))))];
    super({ package: packageNames, packageDefinition: methodsByTheirNames(parts.packages) });
    this.#admission = new Admission({
      limits: { ...usualDoor, ...parts.limits },
      metrics: parts.telemetry.metrics,
      methods: Object.values(parts.packages).flatMap((definition) => Object.values(definition).map(({ path }) => path)),
      caller: (path, call) => this.#letIn(path, call),
      toStatus: (error, method) => statusOf(error, parts.log, method),
    });
  }

  /** What its calls hold now; for specs. */
  get admitted() {
    return this.#admission.state;
  }

  /** Binds. Throws PORT_TAKEN or PORT_NOT_OPENED. */
  override async createClient(): Promise<Server> {
    const server = new Server({
      ...connectionOptions,
      interceptors: [this.#admission.interceptor],
      'grpc.max_receive_message_length': largestMessage,
      'grpc.max_send_message_length': largestMessage,
    });
    limitSessions(server);
    const names = Object.keys(this.parts.packages);
    const health = new HealthImplementation();
    health.addToServer(server as unknown as Parameters<HealthImplementation['addToServer']>[0]);
    this.parts.readiness.follow(health, names);
    addReflection(server, names);
    this.port = await this.#bind(server);
    watchSessions(server, () => this.parts.log.debug({}, 'a connection was cut'));
    return server;
  }

  // biome-ignore lint/complexity/noBannedTypes: Nest's own signature
  override createServiceMethod(handler: Function, method: Method, streaming: GrpcMethodStreamingType): Function {
    const plain = super.createServiceMethod(handler, method, streaming) as Handler;
    const inner = audited(this.parts.audit, method.path, plain);
    return (call: Call, done: Done) => this.#let(method, call, done, inner);
  }

  /** Takes no more calls, and ends when those that run have, also where their callers have gone, or after 5 s. */
  override async close(): Promise<void> {
    const server = this.grpcClient as Server | null;
    this.grpcClient = null;
    if (!server) return;
    let forced = false;
    const force = () => {
      forced = true;
      server.forceShutdown();
    };
    const late = setTimeout(force, longestGoodbyeMs);
    await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    clearTimeout(late);
    await this.#running.ended(this.parts.log, forced ? 0 : undefined);
  }

  #bind(server: Server): Promise<number> {
    const { service, host, port, variable, tls } = this.parts;
    return new Promise((resolve, reject) => {
      server.bindAsync(
        `${host}:${port}`,
        tls?.serverCredentials() ?? ServerCredentials.createInsecure(),
        (error, bound) => {
          if (!error) return resolve(bound);
          const facts = { service, host, port, variable };
          if (/EADDRINUSE|in use/.test(error.message)) return reject(errors.PORT_TAKEN(facts));
          reject(errors.PORT_NOT_OPENED({ ...facts, reason: error.message }));
        },
      );
    });
  }

  #let(method: Method, call: Call, done: Done, inner: Handler): void {
    const { telemetry, log } = this.parts;
    const served: Served = { method, call, code: status.OK, watched: telemetry.enabled || telemetry.metrics.enabled };
    const toStatus = (error: unknown) => {
      const told = leftBy(call, error) ? gone : statusOf(error, log, method.path);
      served.code = told.code;
      return told;
    };
    const fail = (failed: StatusObject) => (done ? done(failed) : call.emit('error', failed));
    if (method.requestStream) oneAtATime(call);
    if (method.requestStream || method.responseStream) this.#holdTo(method, call as Call & Duplex);
    try {
      checkTexts(method, call);
    } catch (error) {
      fail(toStatus(error));
      return;
    }
    const caller = callerOf(call.metadata);
    const { run, end } = watchCall(served, caller, this.parts, text(call.metadata, 'traceparent'));
    const finish: Done =
      done &&
      ((error, ...rest) => {
        const failed = error ? toStatus(error) : null;
        end(error);
        done(failed, ...rest);
      });
    Object.assign(call, { door: toStatus });
    if (method.responseStream) mapErrors(call as unknown as ReplyStream, toStatus, end);
    const answer = () => {
      const answered = inner(call, finish).catch((error) => {
        const failed = toStatus(error);
        end(error);
        fail(failed);
      });
      this.#running.add(answered);
      this.#admission.answering(call.metadata, answered);
    };
    run(answer);
  }

  /** A stream ends where its caller's token holds no more, or no longer suffices. */
  #holdTo({ path }: Method, call: Call & Duplex): void {
    const { credentials } = this.parts;
    const authorization = text(call.metadata, 'authorization');
    const check = () => checkRole(credentials.caller(authorization, call.getPeer()), accessOf(path).role, path);
    const end = credentials.whileHeld(check, (error) => {
      call.destroy(error as Error);
      call.emit('cancelled', '');
    });
    call.once('close', end);
  }

  /** I2. Throws CREDENTIAL_MISSING, CREDENTIAL_REFUSED, ROLE_MISSING, NOT_LEADING; what a caller may not do is in the audit. */
  #letIn(path: string, call: Arriving): Caller {
    const { credentials, audit, leadership } = this.parts;
    const caller = credentials.caller(text(call.metadata, 'authorization'), call.getPeer());
    try {
      checkRole(caller, accessOf(path).role, path);
    } catch (error) {
      audit.refused(attemptOf(caller, call, path), outcomeOf(error));
      throw error;
    }
    leadership.check();
    return caller;
  }
}

/** What our own methods are sent in one message has bounded texts (serving's are the Open Inference Protocol's own). Throws TEXT_TOO_LONG. */
function checkTexts({ path }: Method, { request }: Partial<Call>): void {
  const found = path.startsWith('/driftloop.') && request ? longTextIn(request) : undefined;
  if (found) throw errors.TEXT_TOO_LONG(found);
}

/** Nest finds a handler by the method's name in the .proto, ts-proto keys it in camel case. */
function methodsByTheirNames(packages: Readonly<Record<string, ServiceDefinition>>) {
  const named = (definition: ServiceDefinition) =>
    Object.fromEntries(
      Object.values(definition).map((method) => [method.path.slice(method.path.lastIndexOf('/') + 1), method]),
    );
  return Object.fromEntries(Object.entries(packages).map(([name, definition]) => [name, named(definition)]));
}

const gone: StatusObject = { code: status.CANCELLED, details: 'the caller has gone', metadata: new Metadata() };

/** Whether a handler failed because its caller left in the middle of a stream: no fault of anybody's. */
function leftBy(call: Call, error: unknown): boolean {
  return call.cancelled && (error as NodeJS.ErrnoException)?.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/** Sixteen messages ahead, Node's usual, would be sixteen of the largest. */
function oneAtATime(call: Call): void {
  const { _readableState: state } = call as unknown as { _readableState: { highWaterMark: number } };
  state.highWaterMark = 1;
}

function text(metadata: Metadata, key: string): string | undefined {
  const [value] = metadata.get(key);
  return value === undefined ? undefined : String(value);
}
