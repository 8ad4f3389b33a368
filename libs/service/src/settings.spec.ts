/** The environment: defaults, every fault at once, secrets that stay secret, addresses. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { LoopError } from '@driftloop/contracts';
import { Addresses, checkExposure, openLog, readSettings, variableOf } from './index.js';

const token = 'a-token-of-some-length';

function faultsOf(environment: Record<string, string>): Record<string, string> {
  try {
    readSettings(environment);
  } catch (error) {
    const { code, details } = error as LoopError;
    expect(code).toBe('SETTINGS_INVALID');
    const faults = details.faults as { variable: string; fault: string }[];
    return Object.fromEntries(faults.map(({ variable, fault }) => [variable, fault]));
  }
  throw new Error('the environment was taken');
}

it('is embedded, on loopback, without auth and quiet by default', () => {
  expect(readSettings({})).toMatchObject({
    mode: 'embedded',
    home: '.driftloop',
    host: '127.0.0.1',
    ports: {},
    addresses: {},
    token: undefined,
    replayToken: undefined,
    logLevel: 'warn',
    otlpEndpoint: undefined,
  });
});

it('takes an empty variable as one that is not set', () => {
  expect(readSettings({ DRIFTLOOP_TOKEN: '', DRIFTLOOP_REGISTRY_PORT: '' })).toMatchObject({
    token: undefined,
    ports: {},
  });
});

it('names every variable that is wrong, and how', () => {
  const faults = faultsOf({
    DRIFTLOOP_MODE: 'both',
    DRIFTLOOP_TOKEN: 'short',
    DRIFTLOOP_LOG_LEVEL: 'loud',
    DRIFTLOOP_FEATURE_STORE_PORT: '70000',
    DRIFTLOOP_REGISTRY_PORT: 'x',
    DRIFTLOOP_REGISTRY_ADDRESS: 'http://registry',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://x',
  });
  expect(faults).toEqual({
    DRIFTLOOP_MODE: 'is neither embedded nor cluster',
    DRIFTLOOP_TOKEN: 'is shorter than 16 characters',
    DRIFTLOOP_LOG_LEVEL: expect.stringContaining('is not a level'),
    DRIFTLOOP_FEATURE_STORE_PORT: 'is above 65535',
    DRIFTLOOP_REGISTRY_PORT: 'is not a number',
    DRIFTLOOP_REGISTRY_ADDRESS: 'is not host:port, nor several with commas between',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'is not an http(s) URL',
  });
});

it('does not repeat a secret in its fault', () => {
  expect(JSON.stringify(faultsOf({ DRIFTLOOP_TOKEN: 'short' }))).not.toContain('"short"');
});

it('refuses cluster mode unless Kafka, MongoDB and S3 are named', () => {
  expect(Object.keys(faultsOf({ DRIFTLOOP_MODE: 'cluster', KAFKA_BROKERS: 'k:9092' }))).toEqual([
    'MONGODB_URI',
    'S3_ENDPOINT',
    'S3_ACCESS_KEY',
    'S3_SECRET_KEY',
  ]);
});

describe('a secret that comes as a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'driftloop-secrets-'));
  let files = 0;
  const fileOf = (content: string): string => {
    const file = join(folder, `secret-${files++}`);
    writeFileSync(file, content);
    return file;
  };
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is what the file holds, without the white space at its ends', () => {
    const settings = readSettings({ DRIFTLOOP_TOKEN_FILE: fileOf(`${token}\n`) });
    expect(settings.token?.reveal()).toBe(token);
  });

  it('is looked at like one of the environment', () => {
    expect(faultsOf({ DRIFTLOOP_TOKEN_FILE: fileOf('short') })).toEqual({
      DRIFTLOOP_TOKEN: 'is shorter than 16 characters',
    });
  });

  it('is refused by the name of its file: missing, empty, or given both ways', () => {
    const servers = { KAFKA_BROKERS: 'k:1', S3_ENDPOINT: 'http://s', S3_SECRET_KEY: 's', S3_ACCESS_KEY: 'a' };
    const faults = faultsOf({
      ...servers,
      DRIFTLOOP_MODE: 'cluster',
      MONGODB_URI_FILE: join(folder, 'nowhere'),
      DRIFTLOOP_TOKEN_FILE: fileOf(' '),
      S3_SECRET_KEY_FILE: fileOf('x'),
    });
    expect(faults).toEqual({
      MONGODB_URI_FILE: expect.stringContaining('cannot be read (ENOENT'),
      DRIFTLOOP_TOKEN_FILE: expect.stringContaining('an empty file'),
      S3_SECRET_KEY_FILE: 'is set beside S3_SECRET_KEY: set one of them',
    });
  });
});

it('keeps secrets out of whatever is printed or logged', () => {
  const settings = readSettings({ DRIFTLOOP_TOKEN: token, DRIFTLOOP_REPLAY_TOKEN: `${token}2` });
  const lines: string[] = [];
  const log = openLog('x', 'info', { lines: { write: (line) => void lines.push(line) } });
  log.info({ settings, authorization: `Bearer ${token}`, call: { token } }, String(settings.token));
  expect(lines.join('') + JSON.stringify(settings) + inspect(settings)).not.toContain(token);
  expect(settings.token?.reveal()).toBe(token);
});

it('finds a service by the environment, then where this process started it, then at its usual port', () => {
  const addresses = new Addresses(
    readSettings({ DRIFTLOOP_REGISTRY_ADDRESS: 'registry:1', DRIFTLOOP_TRAINING_PORT: '9' }),
  );
  addresses.started('registry', '127.0.0.1:5');
  addresses.started('labeling', '127.0.0.1:6');
  const found = (['registry', 'labeling', 'training', 'feature-store'] as const).map((name) => addresses.of(name));
  expect(found).toEqual(['registry:1', '127.0.0.1:6', '127.0.0.1:9', '127.0.0.1:7002']);
  expect(variableOf('feature-store', 'ADDRESS')).toBe('DRIFTLOOP_FEATURE_STORE_ADDRESS');
});

it.each(['127.0.0.1', '127.0.1.1', 'localhost', '::1'])('is not exposed on %s', (host) => {
  expect(() => checkExposure(readSettings({ DRIFTLOOP_HOST: host }))).not.toThrow();
});

it.each(['0.0.0.0', '::', '10.0.0.1', '127.example.org'])(
  'is exposed on %s, and needs a token and TLS there',
  (host) => {
    expect(() => checkExposure(readSettings({ DRIFTLOOP_HOST: host }))).toThrow(/DRIFTLOOP_TOKEN/);
    const known = { DRIFTLOOP_HOST: host, DRIFTLOOP_TOKEN: token };
    expect(() => checkExposure(readSettings(known))).toThrow(/TLS_CERT_FILE.*DRIFTLOOP_ALLOW_PLAINTEXT=true/);
    expect(() => checkExposure(readSettings({ ...known, DRIFTLOOP_ALLOW_PLAINTEXT: 'true' }))).not.toThrow();
    const files = { DRIFTLOOP_TLS_CERT_FILE: 'a.pem', DRIFTLOOP_TLS_KEY_FILE: 'a.key' };
    expect(() => checkExposure(readSettings({ ...known, ...files }))).not.toThrow();
  },
);
