/**
 * The house in containers, as docker-compose.yml says: it starts what there is to start, under settings that services take,
 * with nothing open to other machines and no secret written down. Docker's own check runs where Docker is.
 *
 * @jest-environment-options {"customExportConditions": ["driftloop:source", "node"]}
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { services } from '@driftloop/contracts';
import { defaultPorts, readSettings } from '@driftloop/service';
import { parse } from 'yaml';

interface Container {
  image?: string;
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
const settled = (value: string) => value.replace(/\$\{\w+:-(\w+)\}/g, '$1');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'driftloop-containers-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const makeSecrets = () =>
  spawnSync(process.execPath, [join(root, 'deploy/container/secrets.mjs'), folder], { encoding: 'utf8' });

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
      settled(String(value)).replace('/run/driftloop', folder),
    ]);
    const settings = readSettings({ ...Object.fromEntries(variables), DRIFTLOOP_MODE: 'cluster' });
    const addresses = Object.fromEntries(services.map((name) => [name, `${name}:${defaultPorts[name]}`]));
    expect(settings.addresses).toEqual(addresses);
    expect([settings.token, settings.replayToken]).not.toContain(undefined);
  }
});

it('makes secrets once, whole, and for their owner alone', () => {
  makeSecrets();
  const all = () => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
  const first = all();
  expect(makeSecrets().stdout).not.toContain(Object.fromEntries(first).token.trim());
  expect(all()).toEqual(first);
  expect(new Set(first.map(([, content]) => content)).size).toBe(first.length);
  const mode = (name: string) => statSync(join(folder, name)).mode & 0o777;
  expect(first.filter(([name]) => mode(name) !== 0o400).map(([name]) => name)).toEqual(['grafana.password']);
  writeFileSync(join(folder, 'token.new'), 'a start that was cut short');
  expect(makeSecrets().status).toBe(0);
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
