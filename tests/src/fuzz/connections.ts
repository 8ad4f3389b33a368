/**
 * Calls as bytes over HTTP/2, as any client in any language might send them: nothing of a gRPC library stands between an input
 * and the server, and none refuses to send it.
 *
 * I1  A connection that the other side has closed, as it may for a flood, is opened anew; calls that were on it end as `lost`.
 */
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import type { Answer, Call } from './input.js';

/** A call that has no answer by then ends as `no answer`, ms; one that says how long it waits (a bystander's), later. */
const answerMs = 15_000;
const patientMs = 60_000;
/** A call that is left open is given up by its caller after so long, ms. */
const leftOpenMs = 300;
const largestAnswer = 1_000_000;
/** Calls on one connection: every few thousand a new one, as clients come and go. */
const callsEach = 3000;

export interface Reply extends Answer {
  readonly body: Buffer;
}

const statuses = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
  ...['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];

const usual = {
  ':method': 'POST',
  ':scheme': 'http',
  'content-type': 'application/grpc',
  te: 'trailers',
  'grpc-timeout': '3S',
};

export class Connections {
  private readonly open = new Map<string, { session: ClientHttp2Session; left: number }>();

  /** By service: "host:port". */
  constructor(private readonly addresses: Readonly<Record<string, string>>) {}

  /** Sends; resolves however it ends. */
  send({ service, headers, pieces, end, streams }: Call): Promise<Reply> {
    return new Promise((resolve) => {
      const session = this.session(service);
      const stream = session.request(withoutEmpty({ ...usual, ...headers }), { endStream: pieces.length === 0 });
      const body: Buffer[] = [];
      let size = 0;
      let heard: IncomingHttpHeaders = {};
      let given: string | undefined;
      const finish = (otherwise: string) => {
        clearTimeout(late);
        resolve(replyOf(heard, Buffer.concat(body), given ?? otherwise));
      };
      const giveUp = (how: string) => {
        given = how;
        stream.close(constants.NGHTTP2_CANCEL);
      };
      const late = setTimeout(
        () => giveUp(end === 'left open' ? 'left' : 'no answer'),
        end === 'left open' ? leftOpenMs : headers['grpc-timeout'] === '60S' ? patientMs : answerMs,
      );
      stream.on('response', (of) => {
        heard = { ...heard, ...of };
      });
      stream.on('trailers', (of) => {
        heard = { ...heard, ...of };
      });
      stream.on('data', (chunk: Buffer) => {
        if (streams && size === 0) setTimeout(giveUp, leftOpenMs, 'left');
        size += chunk.length;
        if (size <= largestAnswer) body.push(chunk);
        // A stream that goes on, such as the health's Watch, has been answered.
        else giveUp('long');
      });
      stream.on('error', () => undefined);
      stream.on('close', () => finish('lost'));
      for (const piece of pieces) stream.write(piece);
      if (end === 'ended' && pieces.length) stream.end();
      if (end === 'reset') setImmediate(() => giveUp('reset'));
    });
  }

  close(): void {
    for (const { session } of this.open.values()) session.destroy();
    this.open.clear();
  }

  private session(service: string): ClientHttp2Session {
    const kept = this.open.get(service);
    if (kept && kept.left-- > 0 && !kept.session.closed && !kept.session.destroyed) return kept.session;
    kept?.session.close();
    const session = connect(`http://${this.addresses[service]}`, { maxSessionMemory: 100 });
    session.on('error', () => undefined);
    session.on('goaway', () => session.close());
    this.open.set(service, { session, left: callsEach });
    return session;
  }
}

/** A header that is to be left out is '' in an input. */
const withoutEmpty = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));

function replyOf(headers: IncomingHttpHeaders, body: Buffer, otherwise: string): Reply {
  const code = headers['grpc-status'];
  const http = Number(headers[':status'] ?? 200);
  const plain = http !== 200 ? `HTTP ${http}` : otherwise;
  const status = code === undefined ? plain : (statuses[Number(code)] ?? `status ${code}`);
  const details = Buffer.from(String(headers['driftloop-error-bin'] ?? ''), 'base64').toString();
  return {
    status,
    text: `${decoded(String(headers['grpc-message'] ?? ''))}\n${details}\n${body.toString('latin1')}`,
    body,
  };
}

function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
