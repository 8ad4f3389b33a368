/** The services behind the door, as gRPC clients. */
import {
  AdminClient,
  FeatureStoreClient,
  LabelingClient,
  MonitoringClient,
  RegistryClient,
  type ServiceName,
  TrainingClient,
} from '@driftloop/contracts';
import { Addresses } from '@driftloop/service';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { errors } from './errors.js';

@Injectable()
export class Upstreams implements OnApplicationShutdown {
  readonly registry: RegistryClient;
  readonly monitoring: MonitoringClient;
  readonly training: TrainingClient;
  readonly labeling: LabelingClient;
  readonly featureStore: FeatureStoreClient;

  private readonly admins = new Map<ServiceName, AdminClient>();

  constructor(private readonly addresses: Addresses) {
    this.registry = addresses.client(RegistryClient, 'registry');
    this.monitoring = addresses.client(MonitoringClient, 'monitoring');
    this.training = addresses.client(TrainingClient, 'training');
    this.labeling = addresses.client(LabelingClient, 'labeling');
    this.featureStore = addresses.client(FeatureStoreClient, 'feature-store');
  }

  /** The operators' door of a service. */
  admin(service: ServiceName): AdminClient {
    const client = this.admins.get(service) ?? this.addresses.client(AdminClient, service);
    this.admins.set(service, client);
    return client;
  }

  /** Resolves when each service can be reached; throws SERVICE_AWAY after `ms`. */
  async connected(ms: number): Promise<void> {
    const deadline = Date.now() + ms;
    for (const [service, client] of Object.entries({
      registry: this.registry,
      monitoring: this.monitoring,
      training: this.training,
    }))
      await new Promise<void>((resolve, reject) =>
        client.waitForReady(deadline, (error) => (error ? reject(errors.SERVICE_AWAY({ service })) : resolve())),
      );
  }

  onApplicationShutdown(): void {
    const own = [this.registry, this.monitoring, this.training, this.labeling, this.featureStore];
    for (const client of [...own, ...this.admins.values()]) client.close();
  }
}
