/**
 * The cluster's ground: Kafka, the service's own database on mongod, and S3, for one service in a process of its own.
 *
 * I1  Everything is opened or nothing: what was opened before a failure is closed again.
 * I2  The documents come first, and their format before anything else is asked of any server: a service of an older release
 *     leaves no trace on what a newer one has changed.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Incident } from '@driftloop/bus';
import { KafkaBus } from '@driftloop/bus/kafka';
import { MongooseOutbox, openMongod } from '@driftloop/documents';
import { MinioObjects } from '@driftloop/objects/minio';
import { Addresses } from './addresses.js';
import { processClock } from './clock.js';
import { bringToFormat } from './format/documents-format.js';
import type { Ground } from './ground.js';
import { openLog, secretsOf } from './log.js';
import { once } from './once.js';
import { brokersOf, databaseOf, objectsOf, type Settings } from './settings.js';

/**
 * Opens the ground of a service from settings in cluster mode. Throws BUS_UNAVAILABLE, DOCUMENTS_UNAVAILABLE or
 * OBJECTS_UNAVAILABLE where a server does not answer, and what `bringToFormat` throws.
 */
export async function openClusterGround(service: string, settings: Settings): Promise<Ground> {
  const cluster = settings.cluster;
  if (!cluster) throw new TypeError('openClusterGround needs settings of the cluster mode');
  const log = openLog(service, settings.logLevel, { replica: settings.replica, secrets: secretsOf(settings) });
  const closers: (() => Promise<unknown>)[] = [];
  const close = once(async () => {
    for (const closer of closers.reverse()) await closer();
  });
  try {
    const connection = await openMongod(cluster.mongodb.reveal(), databaseOf(cluster, service));
    closers.push(() => connection.close());
    const { replica, leaseMs } = settings;
    await bringToFormat(
      { connection, service, replica, leaseMs, clock: processClock(settings.clock.maxGapMs), log },
      'start',
    );
    const bus = await KafkaBus.open({
      servers: brokersOf(cluster),
      namespace: cluster.namespace,
      replicationFactor: cluster.kafka.replicationFactor,
      name: `${service}.${settings.replica}`,
      report: (incident: Incident) => log.info({ ...incident }, incident.kind),
    });
    closers.push(() => bus.close());
    const objects = await MinioObjects.open(objectsOf(cluster, join(settings.home, 'objects')));
    const report = (error: unknown, waiting: number) => log.warn({ err: error, waiting }, 'the outbox waits');
    const owner = `${settings.replica}/${randomUUID()}`;
    const outbox = new MongooseOutbox(connection, bus, service, { exclusive: false, owner, report });
    closers.push(() => outbox.close());
    return { bus, connection, outbox, objects, addresses: new Addresses(settings), settings, close };
  } catch (error) {
    await close().catch((failure) => log.warn({ err: failure }, 'closing what was opened failed'));
    throw error;
  }
}
