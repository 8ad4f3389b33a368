/** Where a consumption starts: which offset of each partition. */
import type { Admin } from 'kafkajs';
import { CallFailed } from '../failure.js';
import { asking, type KafkaServers, physical } from './servers.js';

/** One event's place: topics are named without a namespace. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * - `committed`: where the group left off; partitions that it has never heard from their earliest event, or with
 *   `{ committed: 'latest' }` from what comes next.
 * - `earliest`, `latest`, `{ time }` (the first event that the brokers took at or after it: wall time, not event time),
 *   `{ places }` (the first event to hear; partitions that are not named stay where the group left off).
 *
 * All but `committed` move the group, so nobody may be consuming in it: GROUP_BUSY.
 */
export type Start =
  | 'committed'
  | 'earliest'
  | 'latest'
  | { readonly committed: 'earliest' | 'latest' }
  | { readonly time: Date }
  | { readonly places: readonly Place[] };

/** Where to go before the first event, by topics' names at the brokers; none where the group goes on. Throws GROUP_BUSY. */
export async function placesOf(
  servers: KafkaServers,
  group: string,
  topics: readonly string[],
  start: Start,
): Promise<Place[]> {
  if (start === 'committed' || (typeof start === 'object' && 'committed' in start && start.committed === 'earliest'))
    return [];
  const names = topics.map((topic) => physical(servers, topic));
  return asking(servers, async (admin) => {
    if (typeof start === 'object' && 'committed' in start) return unheard(admin, group, names);
    await checkFree(admin, group);
    if (typeof start === 'object' && 'places' in start)
      return start.places.map((place) => ({ ...place, topic: physical(servers, place.topic) }));
    return inEach(names, (topic) => offsetsOf(admin, topic, start));
  });
}

async function inEach(topics: readonly string[], ask: (topic: string) => Promise<Omit<Place, 'topic'>[]>) {
  const found = topics.map(async (topic) => (await ask(topic)).map((place) => ({ topic, ...place })));
  return (await Promise.all(found)).flat();
}

/** The ends, as they are now, of partitions that the group has no place in. */
async function unheard(admin: Admin, group: string, topics: readonly string[]): Promise<Place[]> {
  const committed = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
  const known = committed.flatMap(({ topic, partitions }) =>
    partitions.filter(({ offset }) => Number(offset) >= 0).map(({ partition }) => `${topic}/${partition}`),
  );
  const ends = await inEach(topics, (topic) => offsetsOf(admin, topic, 'latest'));
  return ends.filter(({ topic, partition }) => !known.includes(`${topic}/${partition}`));
}

async function offsetsOf(admin: Admin, topic: string, start: 'earliest' | 'latest' | { readonly time: Date }) {
  if (typeof start === 'object') {
    const found = await admin.fetchTopicOffsetsByTimestamp(topic, start.time.getTime());
    return found.map(({ partition, offset }) => ({ partition, offset: Number(offset) }));
  }
  const found = await admin.fetchTopicOffsets(topic);
  return found.map(({ partition, low, high }) => ({ partition, offset: Number(start === 'earliest' ? low : high) }));
}

async function checkFree(admin: Admin, group: string): Promise<void> {
  const { groups } = await admin.describeGroups([group]);
  const members = groups[0]?.members.length ?? 0;
  if (members === 0) return;
  const message = `${members} consume in the group "${group}": its place cannot be moved; start from 'committed', or stop them`;
  throw new CallFailed('GROUP_BUSY', message, true);
}
