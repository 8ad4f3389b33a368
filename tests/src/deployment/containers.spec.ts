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
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'driftloop-containers-'));
  made = mkdtempSync(join(folder, 'made-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const secretsScript = 'deploy/container/secrets.mjs';
/** The image's Node has no options of this one's. */
const env = { PATH: process.env.PATH };
const makeSecrets = () => spawnSync(process.execPath, [join(root, secretsScript), made], { encoding: 'utf8', env });

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
  const all = () => readdirSync(made).map((name) => [name, readFileSync(join(made, name), 'utf8')]);
  const first = all();
  expect(makeSecrets().stdout).not.toContain(Object.fromEntries(first).token.trim());
  expect(all()).toEqual(first);
  expect(new Set(first.map(([, content]) => content)).size).toBe(first.length);
  const mode = (name: string) => statSync(join(made, name)).mode & 0o777;
  expect(first.filter(([name]) => mode(name) !== 0o400).map(([name]) => name)).toEqual(['grafana.password']);
});

it('makes a secret whose making was cut short, for a user who may not write what was left', () => {
  const house = mkdtempSync(join(folder, 'house-'));
  writeFileSync(join(house, 'token.new'), 'a start that was cu', { mode: 0o400 });
  // The image's user is not root. Root, who may write everything, becomes another here before the script does anything.
  const other = process.getuid?.() === 0 ? 65_534 : undefined;
  if (other) for (const path of [folder, house, join(house, 'token.new')]) chownSync(path, other, other);
  const script = `${other ? `process.setegid(${other}); process.seteuid(${other});` : ''}\n${read(secretsScript)}`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-', house], {
    input: script,
    encoding: 'utf8',
    env,
  });
  expect([status, stderr]).toEqual([0, '']);
  expect(readdirSync(house)).not.toContain('token.new');
  expect(readFileSync(join(house, 'token'), 'utf8')).toMatch(/^[\w-]{32}\n$/);
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
