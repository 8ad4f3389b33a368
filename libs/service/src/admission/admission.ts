/**
 * Who is let in at a gRPC door, with what: an interceptor before everything else of a call.
 *
 * I1  A credential is looked at on the metadata, the lead and the room there is too: before a byte of the body is read.
 * I2  A question has its turn (turns.ts) only once its message is whole, so that a slow sender holds none, and before it is
 *     expanded or decoded. It has it until its handler has ended, also where its caller has gone.
 * I3  A stream has a place from its first byte to its last, and no turn: streams last.
 * I4  A caller that breaks off has not ended its stream: grpc-js would say so to the handler, and half a file would be whole
 *     (stream-end.ts).
 * I5  What is not let in is counted, by method and reason; it is no fault of the server's and logs nothing.
 * I6  A value that cannot be kept is refused by the name of its field; in a row, it is that row's own fault.
 */
import { LoopError, MessageReader, requestShape, unreadableField, type WireShape } from '@driftloop/contracts';
import { type Metadata, ServerInterceptingCall, type ServerInterceptor, type ServerListener } from '@grpc/grpc-js';
import { type Caller, rememberCaller } from '../credentials.js';
import { errors } from '../errors.js';
import { Places, shared } from '../places.js';
import type { StatusObject } from '../status.js';
import { names } from '../telemetry/conventions.js';
import type { Measurement, Metrics } from '../telemetry/metrics.js';
import { ByteBudget } from './budget.js';
import { type CallBeneath, type Decode, GuardedCall, hangUp, refusedMs } from './guarded-call.js';
import { type DoorLimits, limitsOf, type MethodLimits } from './limits.js';
import { overloaded } from './overloaded.js';
import { onceEnded } from './stream-end.js';
import { Turns } from './turns.js';
import { countWire } from './wire-count.js';

type MethodDescriptor = Parameters<ServerInterceptor>[0];

/** A call of which no more is known than its metadata and where it comes from. */
export interface Arriving {
  readonly metadata: Metadata;
  getPeer(): string;
}

export interface AdmissionParts {
  readonly limits: DoorLimits;
  readonly metrics: Metrics;
  /** The paths of the server's methods. */
  readonly methods: readonly string[];
  /** Who calls; throws where nobody may. Methods that anybody may call are not asked about. */
  readonly caller: (path: string, call: Arriving) => Caller;
  readonly toStatus: (error: unknown, method: string) => StatusObject;
}

/** What a decoded message and a decoded value take beside their bytes. */
const messageBytes = 64;
const valueBytes = 8;
/** Anybody may ask these: a probe, a tool that looks at what there is. */
const forAnybody = /^\/grpc\.(health|reflection)\./;

/** What is counted where it is not let in (I5). */
const shed = [
  ...['OVERLOADED', 'MESSAGE_TOO_LARGE', 'MESSAGE_HOLDS_TOO_MUCH', 'MESSAGE_MALFORMED'],
  ...['FIELD_UNREADABLE', 'ENCODING_UNKNOWN', 'REQUEST_LATE'],
];
const unknownShape: WireShape = { field: () => undefined };

/** What one call has taken, until it and its handler are over. */
class Held {
  handler: Promise<unknown> | undefined;
  readonly give: (() => void)[] = [];

  over(): void {
    if (this.handler) void this.handler.then(() => this.#give());
    else this.#give();
  }

  #give(): void {
    for (const give of this.give.splice(0)) give();
  }
}

interface Asking {
  readonly key: string;
  readonly replay: boolean;
  readonly held: Held;
}

export class Admission {
  readonly #turns: Turns;
  readonly #streams: Places;
  readonly #waiting: Places;
  readonly #bytes: ByteBudget;
  readonly #held = new WeakMap<Metadata, Held>();
  /** How often each method's calls ended by which error. */
  readonly #shed = new Map<string, Map<string, number>>();
  readonly #overloaded = new WeakMap<LoopError, StatusObject>();

  constructor(private readonly parts: AdmissionParts) {
    const { limits, metrics } = parts;
    this.#turns = new Turns(limits);
    this.#streams = new Places(shared(limits.streams, limits.share), () => overloaded('streams'));
    this.#waiting = new Places(shared(limits.waiting, limits.share), () => overloaded('waiting calls'));
    this.#bytes = new ByteBudget(limits.bytes, limits.share);
    for (const path of parts.methods) this.#shed.set(path, new Map([['OVERLOADED', 0]]));
    metrics.observe('driftloop.requests.shed', () => this.#shedByMethod());
    metrics.queue('calls', limits.queued, () => this.#turns.state);
    metrics.queue('streams', limits.streams, () => ({ depth: this.#streams.state.depth }));
    metrics.queue('bytes in flight', limits.bytes, () => ({ depth: this.#bytes.used }));
  }

  /** What runs and is held now; for specs. */
  get state() {
    return { running: this.#turns.running, streams: this.#streams.state.depth, bytes: this.#bytes.used };
  }

  /** Says that a call is answered until `handler` ends, which must not reject (I2). */
  answering(metadata: Metadata, handler: Promise<unknown>): void {
    const held = this.#held.get(metadata);
    if (held) held.handler = handler;
  }

  readonly interceptor: ServerInterceptor = (method, call) => {
    const beneath = call as unknown as CallBeneath;
    const held = new Held();
    beneath.stream.once('close', () => held.over());
    let guarded: GuardedCall | undefined;
    const listener: ServerListener = {
      onReceiveMetadata: (metadata, go) => {
        this.#held.set(metadata, held);
        guarded = this.#enter(method, beneath, metadata, held);
        if (guarded) go(metadata);
      },
      onReceiveMessage: (message, go) => {
        guarded?.received();
        go(message);
      },
      onReceiveHalfClose: (go) => {
        const ended = () => {
          guarded?.received();
          go();
        };
        if (method.requestStream && !method.responseStream) onceEnded(beneath.stream, ended);
        else ended();
      },
    };
    return new ServerInterceptingCall(call, { start: (next) => next(listener) });
  };

  /** I1: the call under guard, or undefined where it was refused. */
  #enter(method: MethodDescriptor, call: CallBeneath, metadata: Metadata, held: Held): GuardedCall | undefined {
    const toStatus = (error: unknown) => this.#toStatus(error, method.path);
    try {
      const caller = this.#callerOf(method, { metadata, getPeer: () => call.getPeer() });
      const key = caller?.key ?? call.getPeer();
      const limits = limitsOf(method.path);
      const lease = this.#bytes.lease(key);
      held.give.push(() => lease.release());
      const turn = this.#placeOf(method, limits, { key, replay: caller?.replay === true, held });
      const { receiveMs, idleMs, unreadMs } = this.parts.limits;
      const patience = { receiveMs: method.requestStream ? Math.min(limits.idleMs, idleMs) : receiveMs, unreadMs };
      const decode = decoderOf(method.path, limits);
      const over = () => held.over();
      return new GuardedCall(call, { method: method.path, limits, ...patience, lease, turn, decode, toStatus, over });
    } catch (error) {
      call.sendStatus(toStatus(error));
      hangUp(call.stream, refusedMs);
      held.over();
      return undefined;
    }
  }

  #callerOf({ path }: MethodDescriptor, call: Arriving): Caller | undefined {
    if (forAnybody.test(path)) return undefined;
    const caller = this.parts.caller(path, call);
    rememberCaller(call.metadata, caller);
    return caller;
  }

  /** I2, I3: takes the place of a stream or of one that waits; how a question gets its turn. Throws OVERLOADED. */
  #placeOf(method: MethodDescriptor, { admitted }: MethodLimits, { key, replay, held }: Asking) {
    const streams = method.requestStream || method.responseStream;
    if (!streams && admitted === 'question' && !replay) {
      if (this.#turns.full(key)) throw overloaded('queue');
      return () => this.#turn(key, held);
    }
    held.give.push((streams ? this.#streams : this.#waiting).take(key));
    return () => undefined;
  }

  #turn(key: string, held: Held): Promise<void> {
    const turn = this.#turns.enter(key);
    held.give.push(() => turn.leave());
    return turn.granted;
  }

  /** I5 */
  #toStatus(error: unknown, method: string): StatusObject {
    const { toStatus } = this.parts;
    const code = error instanceof LoopError ? error.code : '';
    if (shed.includes(code)) this.#count(method, code);
    if (code !== 'OVERLOADED') return toStatus(error, method);
    const told = this.#overloaded.get(error as LoopError) ?? toStatus(error, method);
    this.#overloaded.set(error as LoopError, told);
    return told;
  }

  #count(method: string, code: string): void {
    const counts = this.#shed.get(method) ?? new Map<string, number>();
    counts.set(code, (counts.get(code) ?? 0) + 1);
    this.#shed.set(method, counts);
  }

  #shedByMethod(): Measurement[] {
    return [...this.#shed].flatMap(([method, counts]) =>
      [...counts].map(([code, value]) => {
        const labels = { [names.rpcMethod]: method.slice(1), [names.errorType]: code };
        return { value, labels };
      }),
    );
  }
}

/** Counts, then decodes. What a decoder cannot make anything of is its sender's fault; a defect of ours stays one. */
function decoderOf(method: string, limits: MethodLimits): Decode {
  const shape = requestShape(method) ?? unknownShape;
  const ours = !forAnybody.test(method);
  return (bytes, deserialize, take) => {
    const { messages, values } = countWire(method, bytes, shape, limits);
    take(messages * messageBytes + values * valueBytes);
    try {
      return ours ? readAll(method, bytes, deserialize) : deserialize(bytes);
    } catch (error) {
      if (!(error instanceof Error) || error instanceof LoopError) throw error;
      if (error instanceof TypeError || error instanceof ReferenceError) throw error;
      throw errors.MESSAGE_MALFORMED({ method, reason: error.message });
    }
  };
}

/** I6: our generated decoders take a reader in place of bytes, others' do not. */
function readAll(method: string, bytes: Buffer, deserialize: (bytes: Buffer) => unknown): unknown {
  const reader = new MessageReader(bytes);
  const message = deserialize(reader as unknown as Buffer);
  const found = reader.unreadable ? unreadableField(method, bytes) : undefined;
  if (found) throw errors.FIELD_UNREADABLE({ method, ...found });
  return message;
}
