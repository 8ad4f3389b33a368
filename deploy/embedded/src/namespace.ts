/** A house's place on real servers, as a whole: what `DRIFTLOOP_NAMESPACE` stands before. */
import { removeNamespace } from '@driftloop/bus/kafka';
import { services } from '@driftloop/contracts';
import { openMongod } from '@driftloop/documents';
import { MinioObjects } from '@driftloop/objects/minio';
import { brokersOf, databaseOf, objectsOf, readSettings } from '@driftloop/service';

/**
 * Removes all of a house from the servers that the environment names: topics, groups, databases, objects; nobody must be
 * running. `cache` is a folder for the objects' own. Throws where it names no namespace: that would be everybody's.
 */
export async function removeHouse(
  environment: Readonly<Record<string, string | undefined>>,
  cache: string,
): Promise<void> {
  const cluster = readSettings({ ...environment, DRIFTLOOP_MODE: 'cluster' }).cluster!;
  const { mongodb, namespace } = cluster;
  if (!namespace) throw new Error('DRIFTLOOP_NAMESPACE is empty: all that is on the servers would go');
  await removeNamespace(brokersOf(cluster), namespace);
  for (const service of [...services, 'gateway']) {
    const connection = await openMongod(mongodb.reveal(), databaseOf(cluster, service));
    await connection.dropDatabase().finally(() => connection.close());
  }
  const objects = await MinioObjects.open(objectsOf(cluster, cache));
  for (const { key } of await objects.list('')) await objects.delete(key);
}
