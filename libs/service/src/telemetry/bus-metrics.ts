/**
 * How far a service's groups have come, what they could not take, what its outbox has not sent, and whether it is ready.
 *
 * I1  A service tells of the groups that it hears in itself: those of a replica that is gone are nobody's. A group that
 *     all replicas share is told by each of them; its lag is the greatest, not the sum.
 * I2  Dead letters are counted up to so many, at each export; the bus holds none of them for that, and reads only what has
 *     come since.
 */
import type { Bus, GroupLag } from '@driftloop/bus';
import type { Outbox } from '@driftloop/documents';
import type { Identity } from '../identity.js';
import type { Readiness } from '../readiness.js';
import { names } from './conventions.js';
import type { Measurement, Metrics } from './metrics.js';

/** I2 */
const mostCounted = 1000;

export interface Observed {
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly identity: Identity;
  readonly readiness: Readiness;
}

/** Has all of it read with the metrics. */
export function observeBus(metrics: Metrics, { bus, outbox, identity, readiness }: Observed): void {
  const lags = shared(() => bus.lag());
  const own = async () => (await lags()).filter(({ group }) => identity.groups().has(group));
  metrics.observe('driftloop.consumer.lag', async () => (await own()).map((lag) => lagOf(identity, lag)));
  metrics.observe('driftloop.consumer.paused', async () => pausedOf(identity, await own()));
  metrics.observe('driftloop.consumer.dead_letters', () => deadOf(bus, identity));
  metrics.observe('driftloop.outbox.documents', () => [{ value: outbox.waiting().documents }]);
  metrics.observe('driftloop.outbox.age', () => [{ value: outbox.waiting().oldestMs / 1000 }]);
  metrics.observe('driftloop.service.ready', () => [{ value: readiness.ready ? 1 : 0 }]);
}

/** A group of a replica's own is told under the name that all replicas' have: the replica is in the resource. */
function sharedName({ replica }: Identity, group: string): string {
  return group.endsWith(`.${replica}`) ? group.slice(0, -1 - replica.length) : group;
}

function lagOf(identity: Identity, { group, topic, partition, lag }: GroupLag): Measurement {
  const labels = {
    [names.group]: sharedName(identity, group),
    [names.destination]: topic,
    [names.partition]: String(partition),
  };
  return { value: lag, labels };
}

function pausedOf(identity: Identity, lags: readonly GroupLag[]): Measurement[] {
  const byTopic = Map.groupBy(lags, ({ group, topic }) => JSON.stringify([group, topic]));
  return [...byTopic.values()].map((partitions) => {
    const [{ group, topic }] = partitions;
    const labels = { [names.group]: sharedName(identity, group), [names.destination]: topic };
    return { value: partitions.filter(({ paused }) => paused !== undefined).length, labels };
  });
}

async function deadOf(bus: Bus, identity: Identity): Promise<Measurement[]> {
  const groups = [...identity.groups().keys()];
  return Promise.all(
    groups.map(async (group) => {
      const value = await bus.countDead(group, mostCounted);
      return { value, labels: { [names.group]: sharedName(identity, group) } };
    }),
  );
}

/** Both metrics of the lags are read from one answer. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= read().finally(() => {
      asked = undefined;
    });
    return asked;
  };
}
