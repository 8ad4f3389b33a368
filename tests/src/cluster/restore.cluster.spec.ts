/**
 * The drill of docs/runbooks/restore.md on real servers: the registry's database is put back to a time before the bus, its
 * groups with it, and it comes to where it was: the same events by id, a revision that others do not ignore.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaBus, removeNamespace } from '@driftloop/bus/kafka';
import {
  type AnyEvent,
  events,
  ModelTrained,
  type PayloadOf,
  RegistryClient,
  RolloutChanged,
  TimePassed,
} from '@driftloop/contracts';
import { MongooseOutbox, openMongod } from '@driftloop/documents';
import { FolderObjects } from '@driftloop/objects';
import { registry } from '@driftloop/registry';
import { Addresses, call, grpcClient, type RunningService, readSettings, startService } from '@driftloop/service';
import { describeOn } from '@driftloop/testing/servers';
import { Kafka, logLevel } from 'kafkajs';
import type { Connection } from 'mongoose';

const spec = readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8');
const [model, hour, start] = ['flights', 3_600_000, Date.UTC(2013, 0, 20, 9)];
const token = 'replay-token-of-a-test';

type Backup = ReadonlyMap<string, readonly object[]>;

async function backUp({ db }: Connection): Promise<Backup> {
  const names = (await db!.listCollections().toArray()).map(({ name }) => name);
  const all = names.map(async (name) => [name, await db!.collection(name).find().toArray()] as const);
  return new Map(await Promise.all(all));
}

async function restore({ db }: Connection, backup: Backup): Promise<void> {
  for (const { name } of await db!.listCollections().toArray()) await db!.collection(name).deleteMany({});
  for (const [name, documents] of backup)
    if (documents.length) await db!.collection(name).insertMany([...documents] as never[]);
}

describeOn(['kafka', 'mongod', 'minio'], 'a registry whose database is older than the bus', ({ kafka, mongod }) => {
  const namespace = `drill${process.pid}`;
  const home = mkdtempSync(join(tmpdir(), 'driftloop-drill-'));
  const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  let [now, told] = [start, 0];
  let running: { service: RunningService; bus: KafkaBus; connection: Connection; client: RegistryClient };

  async function open() {
    const environment = { DRIFTLOOP_REPLAY_TOKEN: token, DRIFTLOOP_LOG_LEVEL: 'silent', DRIFTLOOP_REPLICA: 'r1' };
    const settings = readSettings({ ...environment, DRIFTLOOP_HOME: home });
    const bus = await KafkaBus.open({
      servers: { brokers: kafka.brokers as string[] },
      namespace,
      replicationFactor: 1,
      name: 'r1',
    });
    const connection = await openMongod(mongod.uri, `${namespace}-registry`);
    const outbox = new MongooseOutbox(connection, bus, 'registry', { exclusive: false, owner: `r1/${Math.random()}` });
    const objects = await FolderObjects.open(join(home, 'objects'));
    const close = async () => {
      await outbox.close();
      await connection.close();
      await bus.close();
    };
    const ground = { bus, connection, outbox, objects, addresses: new Addresses(settings), settings, close };
    const service = await startService(registry, ground, { port: 0 });
    const client = grpcClient(RegistryClient, `127.0.0.1:${service.port}`, { reveal: () => token } as never);
    running = { service, bus, connection, client };
  }

  async function dropDatabase() {
    const connection = await openMongod(mongod.uri, `${namespace}-registry`);
    await connection.dropDatabase().finally(() => connection.close());
  }

  async function close() {
    running.client.close();
    await running.service.close();
  }

  async function publish<D extends AnyEvent>({ topic, key, payload, from }: D, data: PayloadOf<D>) {
    const event = { id: `e${told++}`, topic, key: key(data), time: now, source: from, data: payload.toJSON(data) };
    await running.bus.publish([event]);
    await running.bus.settled();
  }

  async function pass(ticks = 2) {
    for (let i = 0; i < ticks; i++) {
      const previous = new Date(now);
      now += hour;
      await publish(events.timePassed, TimePassed.fromPartial({ now: new Date(now), replay: true, previous }));
    }
  }

  const rollout = async () => (await call(running.client, 'getRollout', { model, history: 0 })).rollout!;
  const hold = async (held: boolean) =>
    (await call(running.client, 'freeze', { model, held, note: 'restore' }, { deadlineMs: 30_000 })).rollout!;

  async function train() {
    const artifact = { uri: 'main/models/c1.onnx', sha256: 'c1'.repeat(32), bytes: 10 };
    const { champion, revision } = await rollout();
    const fields = { purpose: 'bootstrap', champion: champion!.version, rolloutRevision: revision };
    const days = [3, 2, 4, 3, 2, 5, 3, 4].map((sum, i) => ({
      ...{ day: new Date(start + i * 24 * hour), rows: 300, lossDifferenceNano: sum * 1e9 },
      ...{ championLossNano: 0, challengerLossNano: 0 },
    }));
    const comparison = { champion: champion!.version, days, slices: [], features: [] };
    const who = { tenant: 'main', model, cycleId: 'c1', eventTime: new Date(now), comparison };
    await publish(
      events.modelTrained,
      ModelTrained.fromPartial({ ...who, ...fields, released: artifact, twin: artifact }),
    );
  }

  /** What the registry has told of rollouts: ids and revisions, as a follower hears them. */
  async function heard() {
    const { topic } = events.rolloutChanged;
    const ends = await running.bus.ends(topic);
    const parts = await Promise.all(ends.map((_, p) => running.bus.read(topic, p, 0, 1000)));
    return parts.flat().map(({ id, data }) => ({ id, revision: RolloutChanged.fromJSON(data).rollout!.revision }));
  }

  const clockGroup = `${namespace}.registry.when-time-passed`;

  /** Everything that some of its groups have heard since a time is heard again. */
  async function rewind(to: number, which: (group: string) => boolean) {
    const { groups } = await admin.listGroups();
    const own = groups.map(({ groupId }) => groupId).filter((group) => group.startsWith(`${namespace}.registry.`));
    expect(own).toContain(clockGroup);
    for (const groupId of own.filter(which))
      for (const { topic } of await admin.fetchOffsets({ groupId }))
        await admin.setOffsets({ groupId, topic, partitions: await admin.fetchTopicOffsetsByTimestamp(topic, to) });
  }

  beforeAll(() => admin.connect());
  afterAll(async () => {
    await close().catch(() => {});
    await dropDatabase();
    await removeNamespace({ brokers: kafka.brokers }, namespace);
    await admin.disconnect();
    rmSync(home, { recursive: true, force: true });
  });

  it('does the hour again with the same ids, and is ahead of the bus once a person has moved it', async () => {
    await open();
    await call(running.client, 'apply', { spec, eventTime: new Date(start) }, { deadlineMs: 30_000 });
    await pass();
    const backup = await backUp(running.connection);
    const restoreTo = Date.now();
    await train();
    await pass();
    expect(await rollout()).toMatchObject({ champion: { version: 'v1' } });
    const frozen = await hold(true);
    await running.bus.settled();
    const before = await heard();
    await close();

    await open();
    await restore(running.connection, backup);
    await close();
    // Facts first, the ticks that decide on them after: side by side, a tick may be heard before what it is to act on.
    await rewind(restoreTo, (group) => group !== clockGroup);
    await open();
    await running.bus.settled();
    await close();
    await rewind(restoreTo, (group) => group === clockGroup);
    await open();
    await running.bus.settled();
    const again = await rollout();
    // What the loop did is done again; what a person said is not on the bus.
    expect(again).toMatchObject({ champion: { version: 'v1' }, held: false, revision: frozen.revision - 1 });
    const after = await heard();
    expect(new Set(after.map(({ id }) => id))).toEqual(new Set(before.map(({ id }) => id)));
    await hold(true);
    const thawed = await hold(false);
    expect(thawed.revision).toBeGreaterThan(Math.max(...before.map(({ revision }) => revision)));
    expect((await running.bus.lag()).filter(({ group, lag }) => group.startsWith('registry.') && lag > 0)).toEqual([]);
    expect(await running.bus.dead('registry.when-model-trained')).toEqual([]);
  }, 180_000);
});
