/** A bus on real brokers in a namespace of its own, for specs; its topics and groups go with it. */
import { randomUUID } from 'node:crypto';
import { removeNamespace } from '../kafka/namespace.js';
import { KafkaBus, type KafkaBusOptions } from '../kafka.js';
import type { BusGround } from './scene.js';

export interface KafkaGround extends BusGround {
  bus: KafkaBus;
  readonly namespace: string;
  /** Another process of the same house. */
  another(name: string): Promise<KafkaBus>;
}

export async function kafkaGround(
  brokers: readonly string[],
  options: Partial<KafkaBusOptions> = {},
): Promise<KafkaGround> {
  const namespace = `spec-${randomUUID().slice(0, 13)}`;
  const open = (name: string) =>
    KafkaBus.open({ servers: { brokers }, name, namespace, retryDelayMs: 2, sessionMs: 6000, ...options });
  const others: KafkaBus[] = [];
  const ground: KafkaGround = {
    namespace,
    bus: await open('one'),
    another: async (name) => {
      const bus = await open(name);
      others.push(bus);
      return bus;
    },
    reopen: async () => {
      await ground.bus.close();
      ground.bus = await open('one');
      return ground.bus;
    },
    close: async () => {
      await Promise.all([ground.bus, ...others].map((bus) => bus.close()));
      await removeNamespace({ brokers }, namespace);
    },
  };
  return ground;
}
