/**
 * One input: what is sent at which door. It is plain data, so that a thread is handed it and a file holds it.
 *
 * I1  An input is a function of the seed and its number alone, and of the small world, which is the same every time: what
 *     one run has sent, any other sends again, whatever the machine did meanwhile.
 */
import { deserialize, serialize } from 'node:v8';

/** A call, as its bytes go over the wire. */
export interface Call {
  readonly door: 'grpc';
  /** Whose address. */
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body's pieces, framed already. */
  readonly pieces: readonly Uint8Array[];
  /** Ended as a caller does that waits, reset at once, or left open for a while and then reset. */
  readonly end: 'ended' | 'reset' | 'left open';
  /** Answered by a stream, which may go on for ever: it is left soon after it has begun. */
  readonly streams?: boolean;
}

export interface Request {
  readonly door: 'http';
  readonly verb: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
}

/** An event of a topic that outsiders write. */
export interface Publication {
  readonly door: 'bus';
  readonly topic: string;
  readonly key: string;
  /** The payload's JSON: a text goes from thread to thread at any depth of what it says. */
  readonly data: string;
}

export type Sent = Call | Request | Publication;

export interface Input {
  readonly number: number;
  /** An RPC's path, a route, a topic. */
  readonly method: string;
  /** What was changed, as a path of names; '' where the whole was. */
  readonly field: string;
  readonly mutation: string;
  readonly sent: Sent;
}

/** What came back. */
export interface Answer {
  /** A status by its name: of gRPC, "HTTP 404", or how it ended without one. */
  readonly status: string;
  /** Every text of it that a person or a program may read. */
  readonly text: string;
}

/** Inputs for a file: what a person reads of each as JSON, and what was sent as Node serializes it (bytes, NaN, any depth). */
export const toJson = (inputs: readonly Input[]): string => {
  const written = inputs.map((input) => ({ ...input, sent: serialize(input.sent).toString('base64') }));
  return `${JSON.stringify(written, undefined, 1)}\n`;
};

export const fromJson = (text: string): Input[] =>
  (JSON.parse(text) as (Input & { sent: string })[]).map((input) => ({
    ...input,
    sent: deserialize(Buffer.from(input.sent, 'base64')) as Sent,
  }));
