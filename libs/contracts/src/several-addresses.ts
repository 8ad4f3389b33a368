/**
 * A client of several replicas: `host:port,host:port`, as a name that gRPC resolves with this.
 *
 * I1  A call goes to a replica whose door is open. Of a led service that is the leader's alone, so that a client finds it
 *     by trying; of any other each call goes to the next one in turn.
 * I2  What has certainly not been answered yet is asked again, at another replica: a replica that goes away costs its
 *     callers nothing. Only of methods that may be asked twice (`repeatable`): a rollback, say, may not.
 * I3  A replica that stands still keeps its connections and answers nothing: one that does not answer a ping either is
 *     taken for gone, well before a caller's patience ends.
 */
import { type ClientOptions, experimental } from '@grpc/grpc-js';
import { onceMore } from './once-more.js';

const scheme = 'driftloop';
/** Asks again at once: there is somebody else to ask. */
const retryPolicy = {
  maxAttempts: 4,
  initialBackoff: '0.02s',
  maxBackoff: '0.5s',
  backoffMultiplier: 4,
  retryableStatusCodes: ['UNAVAILABLE'],
};
const repeatable: { service: string; method?: string }[] = [
  { service: 'inference.GRPCInferenceService' },
  { service: 'driftloop.v1.Labeling', method: 'RecordOutcomes' },
  { service: 'driftloop.v1.FeatureStore', method: 'ReadOnline' },
  { service: 'driftloop.v1.Registry', method: 'GetRollout' },
  { service: 'driftloop.v1.Registry', method: 'Apply' },
];
const serviceConfig = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [{ name: repeatable, retryPolicy }],
};

const mayBeAskedTwice = (path: string) =>
  repeatable.some(({ service, method }) =>
    method ? path === `/${service}/${method}` : path.startsWith(`/${service}/`),
  );

/** I3: what is under way is asked elsewhere after 7 s; a process that is merely busy answers sooner. */
const keepalive = { 'grpc.keepalive_time_ms': 3000, 'grpc.keepalive_timeout_ms': 4000 };

type Listener = experimental.ResolverListener;
type Endpoints = Extract<Parameters<Listener>[0], { ok: true }>['value'];

/** Resolves each of the addresses as gRPC resolves one, and gives all that were found together. */
class SeveralAddresses implements experimental.Resolver {
  readonly #found: (Endpoints | undefined)[];
  readonly #resolvers: experimental.Resolver[];

  constructor(target: experimental.GrpcUri, listener: Listener, options: object) {
    const addresses = target.path.split(',');
    this.#found = addresses.map(() => undefined);
    this.#resolvers = addresses.map((path, i) =>
      experimental.createResolver(
        { scheme: 'dns', path },
        (endpoints, attributes, config, note) => {
          this.#found[i] = endpoints.ok ? endpoints.value : [];
          if (this.#found.some((found) => !found)) return true;
          const all = this.#found.flatMap((found) => found ?? []);
          return listener(all.length ? { ok: true, value: all } : endpoints, attributes, config, note);
        },
        options,
      ),
    );
  }

  static getDefaultAuthority({ path }: experimental.GrpcUri): string {
    return path.split(',')[0];
  }

  updateResolution(): void {
    for (const resolver of this.#resolvers) resolver.updateResolution();
  }

  destroy(): void {
    this.#found.fill(undefined);
    for (const resolver of this.#resolvers) resolver.destroy();
  }
}

experimental.registerResolver(scheme, SeveralAddresses);

/**
 * What a client is made with, for `host:port`, or several with commas between. One address in figures is taken as it is:
 * there is nobody else to ask.
 */
export function targetOf(addresses: string): { target: string; options: ClientOptions } {
  if (/^[\d.]+:\d+$/.test(addresses)) return { target: addresses, options: {} };
  const target = addresses.includes(',') ? `${scheme}:${addresses}` : addresses;
  const interceptors = [onceMore(mayBeAskedTwice)];
  return { target, options: { 'grpc.service_config': JSON.stringify(serviceConfig), ...keepalive, interceptors } };
}
