/**
 * Connections of a gRPC door: how many there are, what each may have open, and which are cut.
 *
 * I1  A connection whose other end is gone is closed: it is pinged, and has to answer.
 * I2  What costs the server and brings it nothing is limited, and who exceeds it is cut: streams opened and reset, headers
 *     without end (nghttp2 bounds them with their CONTINUATION at 64 kB; 16 kB is what clients are told), frames that are none, pings, settings.
 *
 * grpc-js passes no such options on: they are set on what it makes its HTTP/2 servers with (1.14.7, pinned).
 */
import { constants, type Http2Server, type ServerHttp2Session, type ServerOptions } from 'node:http2';
import type { ChannelOptions, Server } from '@grpc/grpc-js';

/** Connections of a server. */
const mostConnections = 1024;
/** Pings and settings of a connection in `floodMs`; a client that keeps a connection alive sends one in seconds. */
const mostControlFrames = 200;
const floodMs = 10_000;

export const connectionOptions: ChannelOptions = {
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // More than one caller may have running, queued and waiting: what is above is refused with a typed error.
  'grpc.max_concurrent_streams': 4096,
};

/** Two of them are documented, and missing in the types. */
const sessionOptions: ServerOptions & { maxSessionInvalidFrames: number; maxSessionRejectedStreams: number } = {
  maxHeaderListPairs: 64,
  maxSettings: 32,
  maxOutstandingPings: 10,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  streamResetBurst: 1000,
  streamResetRate: 100,
};

/** What grpc-js keeps within a server. */
interface ServerBeneath {
  readonly commonServerOptions: ServerOptions;
  readonly http2Servers: ReadonlyMap<Http2Server, unknown>;
}

/** Before the server is bound (I2). */
export function limitSessions(server: Server): void {
  const { commonServerOptions: options } = server as unknown as ServerBeneath;
  Object.assign(options, sessionOptions, { settings: { ...options.settings, maxHeaderListSize: 16 * 1024 } });
}

/** After the server was bound; `cut` hears of each connection that is cut. */
export function watchSessions(server: Server, cut: () => void): void {
  for (const listener of (server as unknown as ServerBeneath).http2Servers.keys()) {
    listener.maxConnections = mostConnections;
    listener.on('drop', cut);
    listener.on('session', (session) => cutFloods(session, cut));
  }
}

function cutFloods(session: ServerHttp2Session, cut: () => void): void {
  let frames = 0;
  let since = performance.now();
  const count = () => {
    const now = performance.now();
    if (now - since > floodMs) [frames, since] = [0, now];
    if (++frames !== mostControlFrames) return;
    cut();
    session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  };
  session.on('ping', count);
  session.on('remoteSettings', count);
}
