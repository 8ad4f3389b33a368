/** The only reader of the environment: every variable of DRIFTLOOP_…, validated, with its default. */
import { hostname } from 'node:os';
import { services } from '@driftloop/contracts';
import { z } from 'zod';
import { type AccessSettings, accessFaults, accessOf, accessShape, type TlsFiles } from './access-settings.js';
import { usualMaxGapMs } from './clock.js';
import { errors } from './errors.js';
import { Secret } from './secret.js';
import { type Fault, withSecretFiles } from './secret-files.js';

/** Every port a developer's machine has, on 127.0.0.1 (design §5). */
export const defaultPorts = {
  labeling: 7001,
  'feature-store': 7002,
  training: 7003,
  registry: 7004,
  monitoring: 7006,
  serving: 8001,
  'serving-http': 8000,
  'serving-metrics': 8002,
  'registry-mlflow': 5001,
  gateway: 3000,
  'labeling-health': 7101,
  'feature-store-health': 7102,
  'training-health': 7103,
  'registry-health': 7104,
  'monitoring-health': 7106,
  'gateway-health': 3001,
} as const;
export type PortName = keyof typeof defaultPorts;

export { Secret, type TlsFiles };

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Where Kafka, MongoDB and S3 are, and how to enter. */
export interface ClusterSettings {
  /** Stands before the names of topics, groups, databases and objects: houses can share servers. Empty: none. */
  readonly namespace: string;
  readonly kafka: {
    readonly brokers: readonly string[];
    readonly ssl: boolean;
    readonly sasl?: {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: Secret;
    };
    /** Copies of each partition; −1 is the brokers' own default. */
    readonly replicationFactor: number;
  };
  /** With credentials in it. */
  readonly mongodb: Secret;
  readonly s3: {
    readonly endpoint: string;
    readonly accessKey: string;
    readonly secretKey: Secret;
    readonly bucket: string;
    readonly region: string;
  };
}

export interface Settings extends AccessSettings {}

/** An abstract class, so that it is its own injection token. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: what the environment says of access is declared where it is read
export abstract class Settings {
  abstract readonly mode: 'embedded' | 'cluster';
  /** The folder of the embedded mode. */
  abstract readonly home: string;
  /** The address that all doors bind. */
  abstract readonly host: string;
  /** Ports that the environment sets; the rest are the services' own. */
  abstract readonly ports: Readonly<Partial<Record<PortName, number>>>;
  /** Where the environment says that others are: `host:port`, or one for each replica with commas between. */
  abstract readonly addresses: Readonly<Record<string, string>>;
  abstract readonly logLevel: LogLevel;
  /** Base of the OTLP HTTP endpoint; spans are only made where there is one. */
  abstract readonly otlpEndpoint?: string;
  /** How often metrics are sent there, wall ms. */
  abstract readonly metricsIntervalMs: number;
  /** This replica's name: constant over restarts. */
  abstract readonly replica: string;
  /** The real infrastructure, in cluster mode. */
  abstract readonly cluster?: ClusterSettings;
  /** How long serving lets a live question wait for its features, wall ms. */
  abstract readonly featurePatienceMs: number;
  /** How long a replica that waits sees no word of the leader before it takes over, wall ms. */
  abstract readonly leaseMs: number;
  /** Who says what time it is; where nobody has chosen, the house's own history says (gateway's clock). */
  abstract readonly clock: ClockSettings;
}

export interface ClockSettings {
  readonly mode?: 'live' | 'replay';
  /** Event time from one live tick to the next, ms. */
  readonly intervalMs: number;
  /** How far live ticks stay behind the wall, ms: what happened before a tick has been heard by then. */
  readonly latenessMs: number;
  /** How far the wall may be from what is known of the time before a person is asked, ms. */
  readonly maxGapMs: number;
}

/** The variable that changes a port or an address: `DRIFTLOOP_FEATURE_STORE_PORT`. */
export function variableOf(name: string, what: 'PORT' | 'ADDRESS'): string {
  return `DRIFTLOOP_${name.toUpperCase().replaceAll('-', '_')}_${what}`;
}

const port = z.coerce
  .number('is not a number')
  .int('is not a whole number')
  .min(0, 'is below 0')
  .max(65535, 'is above 65535');
const address = z
  .string()
  .regex(/^[^\s:/,]+:\d{1,5}(,[^\s:/,]+:\d{1,5})*$/, 'is not host:port, nor several with commas between');
const wholeMs = (least: number, most: number, usual: number) =>
  z.coerce
    .number('is not a number')
    .int('is not whole')
    .min(least, `is below ${least}`)
    .max(most, `is above ${most}`)
    .default(usual);

const schema = z.object({
  DRIFTLOOP_MODE: z.enum(['embedded', 'cluster'], 'is neither embedded nor cluster').default('embedded'),
  DRIFTLOOP_HOME: z.string().default('.driftloop'),
  DRIFTLOOP_HOST: z.string().default('127.0.0.1'),
  ...accessShape,
  DRIFTLOOP_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'is not a level of trace … fatal, silent')
    .optional(),
  DRIFTLOOP_REPLICA: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,64}$/, 'is not 1 to 64 of A-Z a-z 0-9 . -')
    .optional(),
  DRIFTLOOP_FEATURE_PATIENCE_MS: wholeMs(1, 86_400_000, 100),
  OTEL_METRIC_EXPORT_INTERVAL: z.coerce
    .number('is not a number')
    .int('is not whole')
    .min(100, 'is below 100')
    .default(60_000),
  DRIFTLOOP_LEASE_MS: wholeMs(1000, 600_000, 15_000),
  DRIFTLOOP_CLOCK: z.enum(['live', 'replay'], 'is neither live nor replay').optional(),
  DRIFTLOOP_CLOCK_INTERVAL_MS: wholeMs(1000, 86_400_000, 60_000),
  DRIFTLOOP_CLOCK_LATENESS_MS: wholeMs(0, 86_400_000, 60_000),
  DRIFTLOOP_CLOCK_MAX_GAP_MS: wholeMs(60_000, 3_660 * 86_400_000, usualMaxGapMs),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: 'is not an http(s) URL' }).optional(),
});

const needed = (type: z.ZodType<string, string> = z.string()) => z.string('is needed in cluster mode').pipe(type);
const list = z.string().regex(/^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$/, 'is not host:port, or several with commas');
const cluster = z.object({
  DRIFTLOOP_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'is not 1 to 32 of a-z 0-9 -')
    .optional(),
  KAFKA_BROKERS: needed(list),
  KAFKA_SSL: z.enum(['true', 'false'], 'is neither true nor false').default('false'),
  KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'], 'is none of plain, scram-sha-256, scram-sha-512')
    .default('scram-sha-512'),
  KAFKA_USERNAME: z.string().optional(),
  KAFKA_PASSWORD: z.string().optional(),
  KAFKA_REPLICATION_FACTOR: z.coerce.number('is not a number').int('is not whole').min(-1, 'is below −1').default(-1),
  MONGODB_URI: needed(z.string().regex(/^mongodb(\+srv)?:\/\//, 'does not begin with mongodb://')),
  S3_ENDPOINT: needed(z.url({ protocol: /^https?$/, error: 'is not an http(s) URL' })),
  S3_ACCESS_KEY: needed(),
  S3_SECRET_KEY: needed(),
  S3_BUCKET: z.string().default('driftloop'),
  S3_REGION: z.string().default('us-east-1'),
});

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads and validates the environment, and the files that hold its secrets. Throws SETTINGS_INVALID with every fault. */
export function readSettings(variables: Environment = process.env): Settings {
  const { environment, faults } = withSecretFiles(variables);
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const shape = given.DRIFTLOOP_MODE === 'cluster' ? schema.extend(cluster.shape) : schema;
  const parsed = shape
    .extend(each(Object.keys(defaultPorts), 'PORT', port))
    .extend(each(services, 'ADDRESS', address))
    .safeParse(given);
  const all = [...faults, ...accessFaults(given), ...(parsed.error?.issues.map(faultOf) ?? [])].filter(
    unlessOfFile(faults),
  );
  if (all.length) throw errors.SETTINGS_INVALID({ faults: all });
  return settingsOf(parsed.data as Parsed);
}

function each<T extends z.ZodType>(names: readonly string[], what: 'PORT' | 'ADDRESS', type: T) {
  return Object.fromEntries(names.map((name) => [variableOf(name, what), type.optional()]));
}

/** A secret that is missing because its file cannot be read is one fault, not two. */
const unlessOfFile =
  (files: readonly Fault[]) =>
  ({ variable }: Fault): boolean =>
    !files.some((file) => file.variable === `${variable}_FILE`);

function faultOf(issue: z.core.$ZodIssue): Fault {
  return { variable: issue.path.join('.'), fault: issue.message };
}

type Parsed = z.infer<typeof schema> & Record<string, unknown>;

function clusterOf(e: z.infer<typeof cluster>): ClusterSettings {
  const { KAFKA_USERNAME: username, KAFKA_PASSWORD: password, KAFKA_SASL_MECHANISM: mechanism } = e;
  return {
    namespace: e.DRIFTLOOP_NAMESPACE ?? '',
    kafka: {
      brokers: e.KAFKA_BROKERS.split(','),
      ssl: e.KAFKA_SSL === 'true',
      ...(username && password && { sasl: { mechanism, username, password: new Secret(password) } }),
      replicationFactor: e.KAFKA_REPLICATION_FACTOR,
    },
    mongodb: new Secret(e.MONGODB_URI),
    s3: {
      endpoint: e.S3_ENDPOINT,
      accessKey: e.S3_ACCESS_KEY,
      secretKey: new Secret(e.S3_SECRET_KEY),
      bucket: e.S3_BUCKET,
      region: e.S3_REGION,
    },
  };
}

function settingsOf(e: Parsed): Settings {
  const named = (names: readonly string[], what: 'PORT' | 'ADDRESS') =>
    Object.fromEntries(
      names.flatMap((n) => (e[variableOf(n, what)] === undefined ? [] : [[n, e[variableOf(n, what)]]])),
    );
  return {
    mode: e.DRIFTLOOP_MODE,
    ...(e.DRIFTLOOP_MODE === 'cluster' && { cluster: clusterOf(e as unknown as z.infer<typeof cluster>) }),
    home: e.DRIFTLOOP_HOME,
    host: e.DRIFTLOOP_HOST,
    ports: named(Object.keys(defaultPorts), 'PORT'),
    addresses: named(services, 'ADDRESS') as Record<string, string>,
    ...accessOf(e),
    featurePatienceMs: e.DRIFTLOOP_FEATURE_PATIENCE_MS,
    leaseMs: e.DRIFTLOOP_LEASE_MS,
    clock: {
      ...(e.DRIFTLOOP_CLOCK && { mode: e.DRIFTLOOP_CLOCK }),
      intervalMs: e.DRIFTLOOP_CLOCK_INTERVAL_MS,
      latenessMs: e.DRIFTLOOP_CLOCK_LATENESS_MS,
      maxGapMs: e.DRIFTLOOP_CLOCK_MAX_GAP_MS,
    },
    logLevel: e.DRIFTLOOP_LOG_LEVEL ?? (e.DRIFTLOOP_MODE === 'embedded' ? 'warn' : 'info'),
    otlpEndpoint: e.OTEL_EXPORTER_OTLP_ENDPOINT,
    metricsIntervalMs: e.OTEL_METRIC_EXPORT_INTERVAL,
    replica: e.DRIFTLOOP_REPLICA ?? (e.DRIFTLOOP_MODE === 'embedded' ? 'embedded' : hostname()),
  };
}

/** Throws AUTH_REQUIRED or TLS_REQUIRED where a door would be open to other machines without a token or unencrypted. */
export function checkExposure(settings: Settings): void {
  const loopback = ['localhost', '::1', '[::1]'].includes(settings.host) || /^127(\.\d{1,3}){3}$/.test(settings.host);
  if (loopback) return;
  if (!settings.token) throw errors.AUTH_REQUIRED({ host: settings.host });
  if (!settings.tls && !settings.plaintext) throw errors.TLS_REQUIRED({ host: settings.host });
}

/** How a house's brokers are reached. */
export function brokersOf({ kafka: { brokers, ssl, sasl } }: ClusterSettings) {
  return { brokers, ssl, ...(sasl && { sasl: { ...sasl, password: sasl.password.reveal() } as never }) };
}

/** How a house's objects are opened; its cache of them is in `folder`. */
export function objectsOf({ s3, namespace }: ClusterSettings, folder: string) {
  return { ...s3, secretKey: s3.secretKey.reveal(), prefix: namespace, cache: { folder } };
}

/** A service's database: its own, whoever shares the server. */
export function databaseOf({ namespace }: Pick<ClusterSettings, 'namespace'>, service: string): string {
  return ['driftloop', namespace, service].filter(Boolean).join('-');
}
