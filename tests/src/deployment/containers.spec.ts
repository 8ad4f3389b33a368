/**
 * The house in containers, as docker-compose.yml says: it starts what there is to start, under settings that services take,
 * with nothing open to other machines and no secret written down. Docker's own check runs where Docker is.
 */
import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { services } from '@driftloop/contracts';
import { defaultPorts, readSettings } from '@driftloop/service';
import { parse } from 'yaml';

interface Container {
  image?: string;
  hostname?: string;
  healthcheck?: { test?: string[]; disable?: boolean };
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  user?: string;
  read_only?: boolean;
  tmpfs?: string[];
  cap_drop?: string[];
  cap_add?: string[];
  privileged?: boolean;
  security_opt?: string[];
  mem_limit?: string;
  pids_limit?: number;
  logging?: { options?: Record<string, string> };
}

const root = resolve(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Container>;
  volumes: Record<string, unknown>;
};
const containers = Object.entries(compose.services);
const house = containers.filter(([name]) => [...services, 'gateway'].includes(name as 'gateway'));
/** The image that is built here: it has a health check of its own. */
const own = compose.services.serving.image;
const settled = (value: string) => value.replace(/\$\{\w+:-(\w+)\}/g, '$1');

let folder: string;
/** The secrets of one house. */
let made: string;
/** Those of its servers, a folder each. */
let servers: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'driftloop-containers-'));
  made = mkdtempSync(join(folder, 'made-'));
  servers = mkdtempSync(join(folder, 'servers-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const secretsScript = 'deploy/container/secrets.mjs';
/** The image's Node has no options of this one's. */
const env = { PATH: process.env.PATH };
const makeSecrets = () =>
  spawnSync(process.execPath, [join(root, secretsScript), made, servers], { encoding: 'utf8', env });

it('runs each service and the gateway, and gives each its own name', () => {
  expect(house.map(([name, { command }]) => [name, command])).toEqual(
    expect.arrayContaining([...services, 'gateway'].map((name) => [name, [name]])),
  );
});

it('gives each service settings that it takes, and every service an address that its door has', () => {
  expect(makeSecrets().status).toBe(0);
  for (const [, { environment = {} }] of house) {
    const variables = Object.entries(environment).map(([name, value]) => [
      name,
      settled(String(value)).replace('/run/driftloop', made),
    ]);
    const settings = readSettings({ ...Object.fromEntries(variables), DRIFTLOOP_MODE: 'cluster' });
    const addresses = Object.fromEntries(services.map((name) => [name, `${name}:${defaultPorts[name]}`]));
    expect(settings.addresses).toEqual(addresses);
    expect([settings.token, settings.replayToken]).not.toContain(undefined);
    const { kafka, mongodb } = settings.cluster!;
    const theirs = (name: string) => readFileSync(join(servers, name), 'utf8').trim();
    expect([kafka.sasl?.mechanism, kafka.sasl?.username]).toEqual(['scram-sha-512', 'driftloop']);
    expect(kafka.sasl?.password.reveal()).toBe(theirs('kafka/password'));
    expect(new URL(mongodb.reveal()).password).toBe(theirs('mongo/services.password'));
  }
});

it("gives each replica a name that is its own over every restart, and not the container's", () => {
  expect(house.map(([name, { hostname }]) => [name, hostname])).toEqual(house.map(([name]) => [name, `${name}-0`]));
});

it('starts nothing before what it needs answers', () => {
  for (const [name, { depends_on: needs = {} }] of containers)
    for (const [needed, { condition }] of Object.entries(needs)) {
      const { image, healthcheck } = compose.services[needed];
      const checked = healthcheck?.test !== undefined || (image === own && !healthcheck?.disable);
      const asked = checked ? 'service_healthy' : 'service_completed_successfully';
      expect([name, needed, condition]).toEqual([name, needed, asked]);
    }
});

it('is what the integration specs stand on, version by version', () => {
  const there = [...read('scripts/containers.mjs').matchAll(/GenericContainer\('([^']+)'\)/g)].map(
    ([, image]) => image,
  );
  expect(there).toEqual(['kafka', 'mongo', 'minio'].map((name) => compose.services[name].image));
});

it('makes secrets once, whole, and for their owner alone', () => {
  makeSecrets();
  const files = (folder: string) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  const all = () => [...files(made), ...files(servers)].map((path) => [path, readFileSync(path, 'utf8')]);
  const first = all();
  expect(makeSecrets().stdout).not.toContain(readFileSync(join(made, 'token'), 'utf8').trim());
  expect(all()).toEqual(first);
  const shared = new Set(first.map(([, content]) => content)).size;
  expect(shared).toBe(first.length - 1); // Kafka's is in two folders
  const mode = (path: string) => statSync(path).mode & 0o777;
  expect(files(made).filter((path) => mode(path) !== 0o400)).toEqual([]);
  expect(readdirSync(servers).sort()).toEqual(['grafana', 'kafka', 'minio', 'mongo']);
});

it('makes a secret whose making was cut short, for a user who may not write what was left', () => {
  const house = mkdtempSync(join(folder, 'house-'));
  writeFileSync(join(house, 'token.new'), 'a start that was cu', { mode: 0o400 });
  // The image's user is not root. Root, who may write everything, becomes another here before the script does anything.
  const other = process.getuid?.() === 0 ? 65_534 : undefined;
  if (other) for (const path of [folder, house, join(house, 'token.new')]) chownSync(path, other, other);
  const script = `${other ? `process.setegid(${other}); process.seteuid(${other});` : ''}\n${read(secretsScript)}`;
  const others = join(house, 'servers');
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-', house, others], {
    input: script,
    encoding: 'utf8',
    env,
  });
  expect([status, stderr]).toEqual([0, '']);
  expect(readdirSync(house)).not.toContain('token.new');
  expect(readFileSync(join(house, 'token'), 'utf8')).toMatch(/^[\w-]{32}\n$/);
});

it('takes from every container, ours or not, what it does not need, and bounds what it may use', () => {
  for (const [name, container] of containers) {
    const { read_only, cap_drop, cap_add = [], security_opt, privileged = false, image } = container;
    expect([name, read_only, cap_drop, cap_add, security_opt, privileged]).toEqual([
      ...[name, true, ['ALL'], [], ['no-new-privileges:true'], false],
    ]);
    expect([name, container.tmpfs]).toEqual([name, expect.arrayContaining(['/tmp'])]);
    expect([name, container.mem_limit]).toEqual([name, expect.stringMatching(/^\d+[mg]$/)]);
    expect([name, container.pids_limit]).toEqual([name, 512]);
    expect([name, container.logging?.options]).toEqual([name, { 'max-size': '10m', 'max-file': '3' }]);
    // Ours is the image's own user.
    if (image !== own) expect([name, container.user]).toEqual([name, expect.stringMatching(/^\d+:\d+$/)]);
  }
});

it('shows a server its own secrets and no others, and lets nobody write them', () => {
  const secrets = containers.flatMap(([name, { volumes = [] }]) =>
    volumes.filter((volume) => volume.includes('secrets:')).map((volume) => [name, volume]),
  );
  for (const [name, volume] of secrets.filter(([name]) => name !== 'secrets')) {
    const whose =
      compose.services[name].image === own ? 'secrets:/run/driftloop' : `${name}-secrets:/run/servers/${name}`;
    expect([name, volume]).toEqual([name, `${whose}:ro`]);
  }
});

it('reaches no server without an account', () => {
  const { mongo } = compose.services;
  expect(mongo.command).toEqual(expect.arrayContaining(['--keyFile']));
  const properties = read('deploy/container/kafka.sh');
  const [, protocols] = /^listener\.security\.protocol\.map=(.*)$/m.exec(properties)!;
  const open = protocols.split(',').filter((one) => !one.endsWith(':SASL_PLAINTEXT'));
  expect(open).toEqual(['CONTROLLER:PLAINTEXT']);
  expect(properties).toMatch(/controller=\$\{KAFKA_CONTROLLER:-localhost:9093\}/);
});

it('opens no door to other machines', () => {
  const open = containers.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]));
  expect(open.filter(([, port]) => !port.startsWith('127.0.0.1:'))).toEqual([]);
});

it('names a version of every image, and volumes and folders that there are', () => {
  for (const [name, { image = '', volumes = [] }] of containers) {
    expect([name, image]).toEqual([name, expect.stringMatching(/:v?(RELEASE\.)?\d/)]);
    for (const [source] of volumes.map((volume) => volume.split(':'))) {
      if (source.startsWith('./')) expect(statSync(join(root, source))).toBeDefined();
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
  }
});

it('writes no secret down', () => {
  const secret = /(TOKEN|PASSWORD|SECRET_KEY)$/;
  const written = containers
    .flatMap(([, { environment = {} }]) => Object.keys(environment))
    .filter((v) => secret.test(v));
  expect(written).toEqual([]);
});

const docker = spawnSync('docker', ['compose', 'version']).status === 0;
(docker ? it : it.skip)(
  `is taken by docker compose${docker ? '' : ' (skipped: there is no docker compose here)'}`,
  () => {
    const { status, stderr } = spawnSync('docker', ['compose', 'config', '--quiet'], { cwd: root, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  },
);
