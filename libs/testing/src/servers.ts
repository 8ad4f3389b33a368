/**
 * The real servers that specs may use, and why a spec is skipped: the one place that says so, for every room.
 *
 * A spec that needs a server is named after it (`*.kafka.spec.ts`, `*.mongod.spec.ts`, `*.minio.spec.ts`; `*.cluster.spec.ts`
 * needs all three) and tells its facts within `describeOn`. Which servers there are, the environment says; `npm run
 * integration` fills in those that it does not name (scripts/integration.mjs). Servers are shared by specs that run side
 * by side: use topics, databases and buckets of your own.
 */
export { type Line, lineTo } from './line.js';

export interface Servers {
  readonly kafka: { readonly brokers: readonly string[] };
  readonly mongod: { readonly uri: string };
  readonly minio: { readonly endpoint: string; readonly accessKey: string; readonly secretKey: string };
}

export type ServerName = keyof Servers;

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that name each server; all of them, or the server is not named. */
export const serverVariables: Readonly<Record<ServerName, readonly string[]>> = {
  kafka: ['KAFKA_BROKERS'],
  mongod: ['MONGODB_URI'],
  minio: ['S3_ENDPOINT', 'S3_ACCESS_KEY', 'S3_SECRET_KEY'],
};

/** The servers that an environment names: addresses alone, nothing is asked of them. */
export function serversOf(env: Environment = process.env): Partial<Servers> {
  const named = (name: ServerName) => !missing(name, env).length;
  return Object.fromEntries(Object.entries(addressesIn(env)).filter(([name]) => named(name as ServerName)));
}

/**
 * `describe` on real servers: facts, told of the servers' addresses. Where the environment does not name them all, every
 * fact is skipped by its name, and the title says why; the addresses are empty then, so use them in facts and hooks alone.
 * Throws TypeError in a spec that is not named after the servers.
 */
export function describeOn<N extends ServerName>(
  needed: readonly N[],
  title: string,
  facts: (servers: Pick<Servers, N>) => void,
): void {
  checkName(expect.getState().testPath ?? '', needed);
  const why = whySkipped(needed, process.env);
  const tell = () => facts(addressesIn(process.env));
  if (why === undefined) describe(title, tell);
  else describe.skip(`${title} (skipped: ${why})`, tell);
}

/** Why facts that need these servers are skipped; undefined where they are not. */
export function whySkipped(needed: readonly ServerName[], env: Environment): string | undefined {
  const unnamed = needed.flatMap((name) => missing(name, env));
  if (!unnamed.length) return undefined;
  const verb = unnamed.length > 1 ? 'are' : 'is';
  return `${unnamed.join(', ')} ${verb} not set; npm run integration starts real servers where there is Docker`;
}

/** Throws TypeError where a spec's file name does not say which servers it needs. */
export function checkName(path: string, needed: readonly ServerName[]): void {
  const [, suffix] = /\.(kafka|mongod|minio|cluster)\.spec\.ts$/.exec(path) ?? [];
  if (suffix === 'cluster' || (needed.length === 1 && needed[0] === suffix)) return;
  const right = needed.length === 1 ? needed[0] : 'cluster';
  throw new TypeError(`${path}: a spec that needs ${needed.join(', ')} is named *.${right}.spec.ts`);
}

function missing(name: ServerName, env: Environment): string[] {
  return serverVariables[name].filter((variable) => !env[variable]);
}

function addressesIn(env: Environment): Servers {
  const text = (variable: string) => env[variable] ?? '';
  return {
    kafka: {
      brokers: text('KAFKA_BROKERS')
        .split(',')
        .map((broker) => broker.trim())
        .filter(Boolean),
    },
    mongod: { uri: text('MONGODB_URI') },
    minio: { endpoint: text('S3_ENDPOINT'), accessKey: text('S3_ACCESS_KEY'), secretKey: text('S3_SECRET_KEY') },
  };
}
