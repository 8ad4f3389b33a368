// Kafka, mongod and MinIO in containers, for one run of the integration specs. Ports and the object store's keys are new
// for each run; where a run is killed, testcontainers' reaper removes what it had started.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';

const starters = { kafka: startKafka, mongod: startMongod, minio: startMinio };

/** Starts servers side by side. Gives the variables that name them, and `stop`; none where Docker does not answer. */
export async function startServers(names) {
  if (!names.length) return { env: {}, stop: async () => {} };
  const host = await dockerHost();
  if (host === undefined) return { env: {}, stop: async () => {} };
  console.error(`integration: starting ${names.join(', ')} in containers …`);
  const started = await Promise.allSettled(names.map((name) => starters[name](host)));
  const up = started.filter(({ status }) => status === 'fulfilled').map(({ value }) => value);
  const stop = async () => {
    await Promise.all(up.map(({ container }) => container.stop()));
  };
  const failed = started.find(({ status }) => status === 'rejected');
  if (failed) {
    await stop();
    throw new Error('integration: a server did not start in its container', { cause: failed.reason });
  }
  return { env: Object.assign({}, ...up.map(({ env }) => env)), stop };
}

/** The host on which containers' ports are reached; undefined, with a word why, where there is no Docker. */
async function dockerHost() {
  try {
    const client = await getContainerRuntimeClient();
    return client.info.containerRuntime.host;
  } catch (error) {
    console.error(`integration: no Docker here (${error.message}); specs whose server is not named are skipped`);
    return undefined;
  }
}

/** Kafka tells clients its own address, so its port must be known before it starts. */
async function startKafka(host) {
  const port = await freePort();
  const container = await new GenericContainer('apache/kafka:4.3.1')
    .withExposedPorts({ container: 9092, host: port })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${host}:${port}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAINTEXT',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(120_000)
    .start();
  return { container, env: { KAFKA_BROKERS: `${host}:${port}` } };
}

/** A replica set of one: what a cluster has, transactions and majority writes. It is reached directly, at any address. */
async function startMongod(host) {
  const container = await new GenericContainer('mongo:6.0.5')
    .withCommand(['mongod', '--replSet', 'rs0', '--bind_ip_all'])
    .withExposedPorts(27017)
    .withWaitStrategy(Wait.forLogMessage(/Waiting for connections/))
    .withStartupTimeout(120_000)
    .start();
  const initiate = `rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: '127.0.0.1:27017' }] });
    for (let i = 0; i < 600 && !db.hello().isWritablePrimary; i++) sleep(100);
    if (!db.hello().isWritablePrimary) throw new Error('no primary');`;
  const { exitCode, output } = await container.exec(['mongosh', '--quiet', '--eval', initiate]);
  if (exitCode !== 0) {
    await container.stop();
    throw new Error(`mongod's replica set was not initiated: ${output}`);
  }
  const at = `${host}:${container.getMappedPort(27017)}`;
  return { container, env: { MONGODB_URI: `mongodb://${at}/test?directConnection=true` } };
}

async function startMinio(host) {
  const [accessKey, secretKey] = [randomBytes(8).toString('hex'), randomBytes(20).toString('hex')];
  const container = await new GenericContainer('minio/minio:RELEASE.2025-09-07T16-13-09Z')
    .withCommand(['server', '/data'])
    .withEnvironment({ MINIO_ROOT_USER: accessKey, MINIO_ROOT_PASSWORD: secretKey, MINIO_BROWSER: 'off' })
    .withExposedPorts(9000)
    .withWaitStrategy(Wait.forHttp('/minio/health/ready', 9000))
    .withStartupTimeout(120_000)
    .start();
  const endpoint = `http://${host}:${container.getMappedPort(9000)}`;
  return { container, env: { S3_ENDPOINT: endpoint, S3_ACCESS_KEY: accessKey, S3_SECRET_KEY: secretKey } };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
