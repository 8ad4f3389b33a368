/**
 * A call from its first byte to its last, at the only place where grpc-js lets one stand between them: the call object
 * beneath its interceptors (1.14.7, whose version is pinned; door-limits.spec.ts holds what is used of it).
 *
 * I1  A message is received, expanded and decoded within the method's limits and the caller's bytes; what exceeds them is
 *     never decoded.
 * I2  However a call fails beneath, its status is typed, and it is sent: nothing is written after it. A write behind a
 *     status would destroy the stream, and the caller would wait for ever.
 * I3  A caller that sends nothing where it is asked to, or reads nothing, is ended.
 */
import type { ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { errors } from '../errors.js';
import type { StatusObject } from '../status.js';
import type { BytesLease } from './budget.js';
import { expand } from './expand.js';
import type { MethodLimits } from './limits.js';

type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/** What grpc-js keeps beneath a call's interceptors. */
export interface CallBeneath extends ServerInterceptingCallInterface {
  readonly stream: ServerHttp2Stream;
  readonly decoder: { write(data: Buffer): Buffer[]; maxReadMessageLength: number };
  handler: { readonly deserialize: (bytes: Buffer) => unknown };
  decompressMessage(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
}

export interface GuardParts {
  readonly method: string;
  readonly limits: MethodLimits;
  readonly receiveMs: number;
  readonly unreadMs: number;
  readonly lease: BytesLease;
  /** Resolves when a whole message may be worked on. */
  readonly turn: () => Promise<void> | undefined;
  readonly decode: Decode;
  readonly toStatus: (error: unknown) => StatusObject;
  /** Hears that the call has its status. */
  readonly over: () => void;
}

/** Decodes a message that is within its limits; `take` hears first what it will take. */
export type Decode = (bytes: Buffer, deserialize: (bytes: Buffer) => unknown, take: (bytes: number) => void) => unknown;

/** How long a caller that was refused may go on sending, ms. */
export const refusedMs = 1000;

/** Ends a stream after a while, where it has not ended by then: at once where its caller does not read. */
export function hangUp(stream: ServerHttp2Stream, ms: number): NodeJS.Timeout | undefined {
  if (stream.destroyed) return undefined;
  return setTimeout(() => {
    stream.close(stream.writableLength > 0 ? constants.NGHTTP2_CANCEL : constants.NGHTTP2_NO_ERROR);
  }, ms).unref();
}

export class GuardedCall {
  #failure: unknown;
  #ended = false;
  #awaited: NodeJS.Timeout | undefined;
  #unread: NodeJS.Timeout | undefined;
  /** Bytes taken since the last message, and what the last messages took. */
  #taken = 0;
  readonly #costs: number[] = [];

  constructor(
    private readonly call: CallBeneath,
    private readonly parts: GuardParts,
  ) {
    this.#receive();
    this.#read();
    this.#reply();
    call.stream.once('close', () => this.#closed());
  }

  /** Ends the call with an error. */
  refuse(error: unknown): void {
    this.#end(this.parts.toStatus(error));
    this.#hangUp(refusedMs);
  }

  /** I1 */
  #receive(): void {
    const { call, parts } = this;
    const { decoder } = call;
    const { method, limits } = parts;
    const write = decoder.write.bind(decoder);
    decoder.maxReadMessageLength = limits.bytes;
    decoder.write = (data) => {
      if (this.#ended) return [];
      return this.#kept(() => {
        this.#take(data.length);
        return this.#framed(() => write(data));
      });
    };
    call.decompressMessage = async (message, encoding) => {
      try {
        await parts.turn();
        const expansion = { method, limit: limits.bytes, grown: (bytes: number) => this.#take(bytes) };
        return await expand(message.subarray(5), encoding, expansion);
      } catch (error) {
        this.#failure = error;
        throw error;
      }
    };
    const { deserialize } = call.handler;
    const decode = (bytes: Buffer) => this.#kept(() => parts.decode(bytes, deserialize, (cost) => this.#take(cost)));
    call.handler = { ...call.handler, deserialize: decode };
  }

  /** I3: the caller has so long from when it is asked for a message. */
  #read(): void {
    const { call, parts } = this;
    const startRead = call.startRead.bind(call);
    call.startRead = () => {
      this.#awaited ??= setTimeout(() => this.refuse(this.#late()), parts.receiveMs).unref();
      startRead();
    };
  }

  /** A message, or the end of them, has come; what the one before the last cost is over. */
  received(): void {
    clearTimeout(this.#awaited);
    this.#awaited = undefined;
    this.#costs.push(this.#taken);
    this.#taken = 0;
    if (this.#costs.length > 2) this.parts.lease.give(this.#costs.shift()!);
  }

  #take(bytes: number): void {
    this.parts.lease.take(bytes);
    this.#taken += bytes;
  }

  /** The only thing that can be wrong with a frame is the length that it says. */
  #framed(read: () => Buffer[]): Buffer[] {
    try {
      return read();
    } catch {
      const { method, limits } = this.parts;
      throw errors.MESSAGE_TOO_LARGE({ method, limit: limits.bytes });
    }
  }

  /** I2, I3 */
  #reply(): void {
    const { call, parts } = this;
    const sendMessage = call.sendMessage.bind(call);
    const sendStatus = call.sendStatus.bind(call);
    this.#send = sendStatus;
    call.sendMessage = (message, sent) => {
      if (this.#ended) return;
      this.#hangUp(parts.unreadMs);
      sendMessage(message, () => {
        if (!this.#ended) clearTimeout(this.#unread);
        sent();
      });
    };
    call.sendStatus = (sent) => this.#end(sent);
  }

  #send!: (status: Status) => void;

  #end(sent: Status): void {
    const first = !this.#ended;
    this.#ended = true;
    this.received();
    this.#send(first ? this.#typed(sent) : sent);
    if (!first) return;
    this.#hangUp(this.parts.unreadMs);
    this.parts.over();
  }

  #hangUp(ms: number): void {
    clearTimeout(this.#unread);
    this.#unread = hangUp(this.call.stream, ms);
  }

  #closed(): void {
    this.#ended = true;
    clearTimeout(this.#unread);
    this.received();
  }

  /** What is thrown beneath is told as grpc-js's own words: this remembers what it was. */
  #kept<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #typed(sent: Status): Status {
    const failure = this.#failure;
    if (failure === undefined) return this.#ofTimeout(sent);
    this.#failure = undefined;
    return this.parts.toStatus(failure);
  }

  /** A `grpc-timeout` that is none is its sender's fault. */
  #ofTimeout(sent: Status): Status {
    const { method } = this.parts;
    if (sent.code !== status.INTERNAL || !sent.details?.startsWith('Invalid grpc-timeout')) return sent;
    return this.parts.toStatus(errors.MESSAGE_MALFORMED({ method, reason: 'grpc-timeout is no time' }));
  }

  #late(): Error {
    return errors.REQUEST_LATE({ method: this.parts.method, ms: this.parts.receiveMs });
  }
}
