// `npm run integration [JEST ARGUMENTS]`: the specs that need real servers, on the servers that the environment names
// (KAFKA_BROKERS, MONGODB_URI, S3_ENDPOINT with S3_ACCESS_KEY and S3_SECRET_KEY) and, where it names none and Docker is
// there, on containers that are started for this run and stopped after it. Only what the chosen specs need is started.
// Without either, the specs are skipped by name, with the reason. Run through scripts/run.mjs, which installs and builds.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { serversOf } from '@driftloop/contracts/testing';
import { startServers } from './containers.mjs';
import { node, root } from './install.mjs';

const flags = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  '--disable-warning=TimeoutNegativeWarning',
];
const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
const args = [...flags, jest, '--config', join(root, 'jest.integration.config.js'), ...process.argv.slice(2)];

/** The servers that the chosen specs need, by their file names. */
function needed() {
  const { stdout } = spawnSync(node, [...args, '--listTests'], { cwd: root, encoding: 'utf8' });
  const suffixes = [...stdout.matchAll(/\.(kafka|mongod|minio|cluster)\.spec\.ts$/gm)].map(([, suffix]) => suffix);
  return ['kafka', 'mongod', 'minio'].filter((name) => suffixes.includes(name) || suffixes.includes('cluster'));
}

function runSpecs(env) {
  const child = spawn(node, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
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
