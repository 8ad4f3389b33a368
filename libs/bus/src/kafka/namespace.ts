/** A house's place at the brokers as a whole: what its namespace stands before. */
import { type KafkaServers, kafkaOf } from './wire.js';

/** Removes the topics and groups of a namespace; nobody must be running there. Throws what kafkajs throws. */
export async function removeNamespace(servers: KafkaServers, namespace: string): Promise<void> {
  const admin = kafkaOf(servers, 'remove').admin();
  await admin.connect();
  try {
    const isOwn = (name: string) => name.startsWith(`${namespace}.`);
    const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId).filter(isOwn);
    // A member that was killed stays until its session ends; its group goes with its topics' offsets.
    if (groups.length > 0) await admin.deleteGroups(groups).catch(() => undefined);
    const topics = (await admin.listTopics()).filter(isOwn);
    if (topics.length > 0) await admin.deleteTopics({ topics });
  } finally {
    await admin.disconnect();
  }
}
