/**
 * Whether a caller that ended its stream meant it.
 *
 * I1  Node's HTTP/2 client ends a stream that it cancels, and resets it in the same turn: on the wire an end, then a reset.
 *     What it sends after that turn comes after both, and so does its answer to a PING that is sent once the end is here.
 *     Where the answer has come and no reset before it, there is none.
 * I2  A caller that has gone answers no PING: its stream has no end.
 * I3  One PING a connection is under way, and one end waits for the next where it came behind it: there may be ten at most.
 *
 * A proxy answers for itself. Whoever sends files through one says how long they are (FileDescription.length, sha256).
 */
import type { Http2Session, ServerHttp2Stream } from 'node:http2';

/** What waits for the answer of the PING under way, and for that of the next. */
interface Pings {
  sent: (() => void)[];
  next: (() => void)[];
}

/** The others are answered, or the connection is cut, long after this. */
const retryMs = 50;

const pings = new WeakMap<Http2Session, Pings>();

/** Calls `go` once it is certain that the caller has not broken off; never, where it has. */
export function onceEnded(stream: ServerHttp2Stream, go: () => void): void {
  const { session } = stream;
  if (!session) return;
  const waiting = pings.get(session) ?? { sent: [], next: [] };
  pings.set(session, waiting);
  waiting.next.push(() => {
    if (!stream.aborted && !stream.closed) go();
  });
  if (!waiting.sent.length) send(session, waiting);
}

/** I3 */
function send(session: Http2Session, waiting: Pings): void {
  waiting.sent = waiting.next.splice(0);
  if (!waiting.sent.length || session.destroyed) return;
  session.ping((error) => {
    if (error && !session.destroyed) return retry(session, waiting);
    const answered = waiting.sent.splice(0);
    if (!error) for (const go of answered) go(); // I2
    send(session, waiting);
  });
}

/** Others may have ten under way: grpc-js asks so whether callers live. */
function retry(session: Http2Session, waiting: Pings): void {
  waiting.next.unshift(...waiting.sent.splice(0));
  setTimeout(() => send(session, waiting), retryMs);
}
