/** Where the services are: from the environment, or where this process started them, or design §5's ports. */
import type { ServiceName } from '@driftloop/contracts';
import type { Client } from '@grpc/grpc-js';
import { type ClientClass, grpcClient } from './client.js';
import { defaultPorts, type Secret, type Settings, type TlsFiles } from './settings.js';
import type { CallsTo } from './telemetry/traced-calls.js';

/** Injectable. */
export class Addresses {
  #started = new Map<ServiceName, string[]>();
  readonly #configured: Readonly<Record<string, string>>;
  readonly #ports: Settings['ports'];
  readonly #token?: Secret;
  readonly #tls?: TlsFiles;
  #callsTo?: CallsTo;

  constructor(settings: Pick<Settings, 'addresses' | 'ports' | 'token' | 'tls'>) {
    this.#configured = settings.addresses;
    this.#ports = settings.ports;
    this.#token = settings.token;
    this.#tls = settings.tls;
  }

  /** `host:port` of a service's gRPC door; of several replicas each, with commas between. */
  of(service: ServiceName): string {
    const port = this.#ports[service] ?? defaultPorts[service];
    return this.#configured[service] ?? this.#started.get(service)?.join(',') ?? `127.0.0.1:${port}`;
  }

  /** A client of a service, with this house's token and encrypted, where it has that. */
  client<C extends Client>(client: ClientClass<C>, service: ServiceName): C {
    const address = this.of(service);
    return grpcClient(client, address, this.#token, this.#callsTo && [this.#callsTo(address)], this.#tls);
  }

  /** The same addresses, for one service whose questions are watched. */
  watched(callsTo: CallsTo): Addresses {
    const own = new Addresses({ addresses: this.#configured, ports: this.#ports, token: this.#token, tls: this.#tls });
    own.#started = this.#started;
    own.#callsTo = callsTo;
    return own;
  }

  /** Remembers where a service of this process listens. */
  started(service: ServiceName, address: string): void {
    this.#started.set(service, [...(this.#started.get(service) ?? []), address]);
  }

  /** Forgets it, where another replica of this process still listens: whoever asks meanwhile waits at the last address. */
  stopped(service: ServiceName, address: string): void {
    const left = (this.#started.get(service) ?? []).filter((other) => other !== address);
    if (left.length) this.#started.set(service, left);
  }
}
