// `npm run integration [JEST ARGUMENTS]`: the specs that need real servers, on the servers that the environment names
// (KAFKA_BROKERS, MONGODB_URI, S3_ENDPOINT with S3_ACCESS_KEY and S3_SECRET_KEY) and, where it names none and Docker is
// there, on containers that are started for this run and stopped after it. Only what the chosen specs need is started.
// Without either, the specs are skipped by name, with the reason. Run through scripts/run.mjs, which installs and builds.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { serversOf } from '@driftloop/testing/servers';
import { startServers } from './containers.mjs';
import { root } from './install.mjs';
import { jestCommand, jestEnvironment } from './jest/run.mjs';

const args = ['--config', join(root, 'jest.integration.config.js'), ...process.argv.slice(2)];

/** The servers that the chosen specs need, by their file names. */
function needed() {
  const [node, listing] = jestCommand([...args, '--listTests']);
  const { stdout } = spawnSync(node, listing, { cwd: root, encoding: 'utf8' });
  const suffixes = [...stdout.matchAll(/\.(kafka|mongod|minio|cluster)\.spec\.ts$/gm)].map(([, suffix]) => suffix);
  return ['kafka', 'mongod', 'minio'].filter((name) => suffixes.includes(name) || suffixes.includes('cluster'));
}

function runSpecs(env) {
  const child = spawn(...jestCommand(args), {
    cwd: root,
    stdio: 'inherit',
    env: jestEnvironment({ ...process.env, ...env }),
  });
  // An interrupted run still stops what it started: the signal is the specs' to end on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}

const named = serversOf();
const servers = await startServers(needed().filter((name) => !named[name]));
try {
  process.exitCode = await runSpecs(servers.env);
} finally {
  await servers.stop();
}
