/** What `npm run chaos` can be told. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

export const usage = `npm run chaos [-- OPTIONS]

Needs Kafka, MongoDB and S3 (KAFKA_BROKERS, MONGODB_URI, S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY). The last line says
what was done and whether all held; the exit code is 1 where something did not.

  --seed N       which disturbances, in which order (1)
  --replicas N   how many processes each service has (2)
  --kills N      how often each service is killed, one of its replicas at a time (2)
  --stops N      how many services stand still for a while, every other one for longer than its session (4)
  --repeats N    how often a third of all events comes again, in another order (3)
  --servers DIR  restart the servers too, with DIR/up NAME and DIR/down NAME for kafka, mongo, minio
  --away MS      with --servers: how long each of them is away (60000)
  --minutes N    after so long the run is given up as one that hangs (20)
  --world FILE   another world than the small one of parcels: a module as for npm start
  --keep         keep the home with the logs of the processes, and what the run left on the servers
  --help         this text`;

const usual = { seed: 1, replicas: 2, kills: 2, stops: 4, repeats: 3, away: 60_000, minutes: 20 };

export interface Options extends Record<keyof typeof usual, number> {
  readonly servers: string | undefined;
  /** A module's URL. */
  readonly world: string;
  readonly keep: boolean;
}

/** The options; undefined for help. Throws an Error that says what is wrong. */
export function readOptions(args: string[]): Options | undefined {
  const names = Object.keys(usual) as (keyof typeof usual)[];
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const numbers = Object.fromEntries(names.map((name) => [name, text]));
  const { values } = parseArgs({ args, options: { ...numbers, servers: text, world: text, keep: flag, help: flag } });
  if (values.help) return undefined;
  const given = values as Readonly<Record<string, string | undefined>>;
  const whole = (name: keyof typeof usual): number => {
    const value = given[name] === undefined ? usual[name] : Number(given[name] || Number.NaN);
    const least = Number(name === 'replicas' || name === 'minutes');
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new Error(`--${name} ${given[name]}: write a whole number from ${least} on`);
  };
  const { servers, world } = given;
  if (servers && !existsSync(join(servers, 'up'))) throw new Error(`--servers ${servers}: has no up`);
  if (world && !existsSync(world)) throw new Error(`--world ${world}: there is no such file`);
  const module = world ? pathToFileURL(world).href : new URL('../worlds/short.js', import.meta.url).href;
  const read = Object.fromEntries(names.map((name) => [name, whole(name)])) as Record<keyof typeof usual, number>;
  return { ...read, servers, world: module, keep: values.keep === true };
}
