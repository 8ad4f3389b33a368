/**
 * Errors of calls that reply with a stream. There an error is an event, emitted by the handler or by `destroy`.
 *
 * I1  It becomes a status once, whatever else is emitted afterwards.
 * I2  grpc-js sends a status at the end of the stream, so on a stream that is destroyed before (leaving a `for await` does
 *     that) the caller would wait for ever: then the status goes to the call beneath.
 */
import type { Writable } from 'node:stream';
import type { StatusObject } from './status.js';

/** A server's writable or duplex stream; `call` is what grpc-js keeps beneath it. */
export type ReplyStream = Writable & { readonly call?: { sendStatus(status: StatusObject): void } };

/** Turns the stream's errors into statuses; `told` hears of the first. */
export function mapErrors(
  stream: ReplyStream,
  toStatus: (error: unknown) => StatusObject,
  told: (error: unknown) => void,
): void {
  const emit = stream.emit.bind(stream) as (event: string | symbol, ...rest: unknown[]) => boolean;
  let failed = false;
  const mapped = (event: string | symbol, ...rest: unknown[]) => {
    if (event !== 'error') return emit(event, ...rest);
    if (failed) return true;
    failed = true;
    const status = toStatus(rest[0]);
    told(rest[0]);
    return end(stream, status, emit);
  };
  Object.assign(stream, { emit: mapped });
}

function end(stream: ReplyStream, status: StatusObject, emit: (event: string, ...rest: unknown[]) => boolean): boolean {
  const beneath = () => {
    if (!stream.writableFinished) stream.call?.sendStatus(status);
  };
  if (stream.destroyed) beneath();
  else stream.once('close', beneath);
  return emit('error', status);
}
