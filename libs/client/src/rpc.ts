/** gRPC as promises: one call with a deadline, and the credential on each. */
import { checkPeer, peerName, targetOf } from '@driftloop/contracts';
import { type Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { CallFailed } from './failure.js';

type Unary<Q, R> = (
  request: Q,
  metadata: Metadata,
  options: { deadline: number },
  done: (error: ServiceError | null, reply: R) => void,
) => unknown;

type ClientOf<C extends Client> = new (
  address: string,
  channel: ReturnType<typeof credentials.createInsecure>,
  options?: object,
) => C;

const encrypted = 'grpcs://';

/** Opens a channel to a service at "host:port", or to its replicas at several with commas between; TLS behind "grpcs://". */
export function open<C extends Client>(Constructor: ClientOf<C>, address: string): C {
  const secure = address.startsWith(encrypted);
  const bare = secure ? address.slice(encrypted.length) : address;
  const { target, options } = targetOf(bare);
  const channel = secure
    ? credentials.createSsl(null, null, null, { checkServerIdentity: checkPeer })
    : credentials.createInsecure();
  return new Constructor(target, channel, {
    ...options,
    ...(secure && peerName(bare)),
    'grpc.max_receive_message_length': 16 << 20,
    'grpc.max_send_message_length': 16 << 20,
  });
}

/** Metadata with the bearer credential, where there is one. */
export function credential(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

/** One unary call. `deadlineMs` is wall time. Throws CallFailed. */
export function unary<Q, R>(
  client: Client,
  method: Unary<Q, R>,
  request: Q,
  metadata: Metadata,
  deadlineMs = 30_000,
): Promise<R> {
  return new Promise((resolve, reject) => {
    method.call(
      client,
      request,
      metadata,
      { deadline: performance.timeOrigin + performance.now() + deadlineMs },
      (error, reply) => (error ? reject(failure(error, client.getChannel().getTarget())) : resolve(reply)),
    );
  });
}

/** A gRPC error as CallFailed, with the service's own code where it sent one; `target` is who was called. */
export function failure(error: ServiceError, target = 'the service'): CallFailed {
  const [detail] = error.metadata?.get('driftloop-error-bin') ?? [];
  if (detail) {
    const { code, message, retriable, details } = JSON.parse(Buffer.from(detail as Buffer).toString('utf8'));
    return new CallFailed(code, message, Boolean(retriable), details);
  }
  const said = error.details || error.message;
  if (error.code === status.UNAVAILABLE) return new CallFailed('UNREACHABLE', unreachable(target, said), true);
  return new CallFailed(status[error.code] ?? 'UNKNOWN', said, error.code === status.DEADLINE_EXCEEDED);
}

function unreachable(target: string, said: string): string {
  // What the library says is "…Error: <why>. Resolution note: …".
  const [, told] = said.split(' Resolution note', 1)[0].split('Error: ', 2);
  const reason = told && said.includes(' Resolution note') ? told.replace(/\.$/, '') : said;
  return `nothing answers at ${target.replace(/^(dns|driftloop):/, '')} (${reason}); is Driftloop running?`;
}
