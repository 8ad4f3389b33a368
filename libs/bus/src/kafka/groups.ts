/**
 * The groups that have a place at the brokers, and whose they are.
 *
 * I1  A group of the house has a place in its dead letters before it hears anything (membership.ts): that tells it apart,
 *     whether it has a member or not. Any other group at the house's topics is a foreign one, a product team's.
 * I2  Of foreign groups only places at topics that this process has declared count: what else they hear is not the
 *     house's, and may be gone when its end is asked for.
 * I3  Where houses share brokers, those with a longer namespace are other houses: each is known by its topic for stillness.
 */
import { topicOfLetters } from './dead-letters.js';
import { stillnessTopic } from './stillness.js';
import type { Topics } from './topics.js';
import type { Wire } from './wire.js';

/** Where a group has committed in a partition. */
export interface Place {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly next: number;
  readonly foreign?: true;
}

/** Places of all groups in the house's topics, dead letters aside. */
export async function placesAt(wire: Wire, topics: Topics): Promise<Place[]> {
  const isElsewhere = await otherHouses(wire, topics);
  const { groups } = await wire.admin.listGroups();
  const names = groups.flatMap(({ groupId }) => topics.logical(groupId) ?? []).filter((group) => !isElsewhere(group));
  const found = names.map(async (group) => placesOf(group, await wire.committed(topics.physical(group)), topics));
  return (await Promise.all(found)).flat();
}

function placesOf(group: string, committed: ReadonlyMap<string, ReadonlyMap<number, number>>, topics: Topics): Place[] {
  const letters = topicOfLetters(group);
  const isOwn = committed.has(topics.physical(letters));
  return [...committed].flatMap(([physical, partitions]) => {
    const topic = topics.logical(physical);
    if (topic === undefined || topic === letters) return [];
    if (!isOwn && !topics.declared.has(topic)) return [];
    return [...partitions].map(([partition, next]) => ({
      ...{ group, topic, partition, next },
      ...(!isOwn && { foreign: true as const }),
    }));
  });
}

/** I3: whether a name in this house is really one of another. */
async function otherHouses(wire: Wire, topics: Topics): Promise<(name: string) => boolean> {
  const names = (await wire.admin.listTopics()).flatMap((physical) => topics.logical(physical) ?? []);
  const suffix = `.${stillnessTopic}`;
  const prefixes = names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, 1 - suffix.length));
  return (name) => prefixes.some((prefix) => name.startsWith(prefix));
}
