/** Sends one flood after another, as bytes over HTTP/2, and says how long each took to be refused, and by which status. */
import { connect } from 'node:http2';
import { parentPort } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';

export interface FloodRequest {
  readonly port: number;
  readonly path: string;
  /** '' for none. */
  readonly authorization: string;
  readonly gzipped: boolean;
  readonly times: number;
  /** Of the message when it is plain. */
  readonly bytes: number;
}

export interface FloodReport {
  readonly medianMs: number;
  readonly slowestMs: number;
  /** How often which status came, by gRPC's numbers. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** Empty submessages of field 2, one after another. */
const emptySubmessage = Buffer.from([0x12, 0x00]);

parentPort!.on('message', async (asked: FloodRequest) => {
  const plain = Buffer.alloc(asked.bytes, emptySubmessage);
  const message = asked.gzipped ? gzipSync(plain) : plain;
  const frame = Buffer.alloc(5);
  frame.writeUInt8(Number(asked.gzipped));
  frame.writeUInt32BE(message.length, 1);
  const body = Buffer.concat([frame, message]);
  const session = connect(`http://127.0.0.1:${asked.port}`);
  session.on('error', () => undefined);
  const took: number[] = [];
  const statuses = new Map<string, number>();
  for (let i = 0; i < asked.times; i++) {
    const { status, ms } = await refusal(session, asked, body);
    took.push(ms);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  session.destroy();
  const sorted = took.sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] * 10) / 10;
  parentPort!.postMessage({
    medianMs: at(0.5),
    slowestMs: at(1),
    statuses: Object.fromEntries(statuses),
  } satisfies FloodReport);
});

/** The status, and after how long it was there; resolves when the stream is over, so that no two share the connection. */
function refusal(
  session: ReturnType<typeof connect>,
  { path, authorization, gzipped }: FloodRequest,
  body: Buffer,
): Promise<{ status: string; ms: number }> {
  const began = performance.now();
  const stream = session.request({
    ...{ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
    ...(authorization && { authorization }),
    ...(gzipped && { 'grpc-encoding': 'gzip' }),
  });
  return new Promise((resolve) => {
    let told = { status: 'lost', ms: Number.NaN };
    const look = ({ 'grpc-status': status }: Record<string, unknown>) => {
      if (status !== undefined) told = { status: String(status), ms: performance.now() - began };
    };
    stream.on('response', look);
    stream.on('trailers', look);
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(told));
    stream.on('data', () => undefined);
    stream.end(body);
  });
}
