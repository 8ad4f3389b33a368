/** A bus on real brokers in a namespace of its own, for specs; its topics and groups go with it. */
import { randomUUID } from 'node:crypto';
import { kafkaOf } from '../kafka/wire.js';
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
      await wipe(brokers, namespace);
    },
  };
  return ground;
}

/** Removes the topics and groups of a namespace. */
export async function wipe(brokers: readonly string[], namespace: string): Promise<void> {
  const admin = kafkaOf({ brokers }, 'spec').admin();
  await admin.connect();
  try {
    const { groups } = await admin.listGroups();
    const own = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(`${namespace}.`));
    if (own.length > 0) await admin.deleteGroups(own).catch(() => undefined);
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${namespace}.`));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  } finally {
    await admin.disconnect();
  }
}
