/**
 * `npm run chaos`: plays a world in quiet in one process, then again in processes on real servers while they are killed,
 * started again and fed records that are no events; then looks whether everything came out the same.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { services } from '@driftloop/contracts';
import { importWorld } from '@driftloop/flights';
import { openProcesses } from '../processes.js';
import { Disturber } from './disturber.js';
import { findings } from './invariants.js';
import { playInProcesses, playQuietly, whoeverServed } from './runs.js';

const usage = `npm run chaos [-- OPTIONS]

Needs Kafka, MongoDB and S3 (KAFKA_BROKERS, MONGODB_URI, S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY). The last line says
what was done and whether all held; the exit code is 1 where something did not.

  --seed N       which disturbances, in which order (1)
  --kills N      how often each process is killed (2)
  --replicas N   how many processes each service has (1)
  --servers DIR  restart the servers too, with DIR/up NAME and DIR/down NAME for kafka, mongo, minio
  --world FILE   another world than the small one of parcels: a module as for npm start
  --keep         keep the home with the logs of the processes
  --help         this text`;

interface Options {
  seed: number;
  kills: number;
  replicas: number;
  servers: string | undefined;
  world: string;
  keep: boolean;
}

/** The options; undefined for help. Throws an Error that says what is wrong. */
function readOptions(args: string[]): Options | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    args,
    options: { ...{ seed: text, kills: text, replicas: text, servers: text, world: text }, keep: flag, help: flag },
  });
  if (values.help) return undefined;
  const whole = (name: 'seed' | 'kills' | 'replicas', usual: number): number => {
    const value = values[name] === undefined ? usual : Number(values[name]);
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} ${values[name]}: write a whole number`);
    return value;
  };
  if (values.servers && !existsSync(join(values.servers, 'up')))
    throw new Error(`--servers ${values.servers}: has no up`);
  if (values.world && !existsSync(values.world)) throw new Error(`--world ${values.world}: there is no such file`);
  const world = values.world ? pathToFileURL(values.world).href : new URL('../crash/world.js', import.meta.url).href;
  const numbers = { seed: whole('seed', 1), kills: whole('kills', 2), replicas: Math.max(1, whole('replicas', 1)) };
  return { ...numbers, servers: values.servers, world, keep: values.keep ?? false };
}

async function main({ seed, kills, replicas: each, servers, world, keep }: Options): Promise<boolean> {
  const began = performance.now();
  const tell = (line: string) =>
    console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  const { model } = await importWorld(world);
  tell('the quiet run begins');
  const quiet = await playQuietly(world);
  tell(`the quiet run came to ${quiet.ledgerSha256.slice(0, 16)} with ${quiet.cycles.length} cycles`);
  const namespace = `chaos-${seed}-${process.pid}`;
  process.env.DRIFTLOOP_NAMESPACE = namespace;
  const home = mkdtempSync(join(tmpdir(), 'driftloop-chaos-'));
  const onExit = ({ part }: { part: string }, how: string) => tell(`${part} ended by itself with ${how}`);
  const replicas = Object.fromEntries(services.map((service) => [service, each]));
  const house = await openProcesses(home, { environment: process.env, onExit, restartMs: 500, replicas });
  const brokers = process.env.KAFKA_BROKERS!.split(',');
  const disturber = new Disturber(house, { seed, kills, servers, brokers, namespace }, tell);
  try {
    const disturbed = await playInProcesses(house, world, process.env, disturber);
    tell('the disturbed run is over');
    const [expected, came] = each === 1 ? [quiet, disturbed] : [quiet, disturbed].map(whoeverServed);
    const found = await findings(house, model, expected, came, disturber.done);
    for (const { what, against } of found) tell(`${against ? 'FAIL' : 'ok  '} ${what}${against ? `: ${against}` : ''}`);
    const held = found.filter(({ against }) => !against).length;
    const { kills: killed, restarts, poisoned } = disturber.done;
    const did = `${killed} kills, ${restarts.length} restarts of servers, ${poisoned.length} topics poisoned`;
    tell(`seed ${seed}: ${did}; ${held} of ${found.length} invariants held`);
    return held === found.length;
  } finally {
    await house.close();
    if (keep) console.log(`logs are in ${home}`);
    else rmSync(home, { recursive: true, force: true });
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (!options) console.log(usage);
  else process.exit((await main(options)) ? 0 : 1);
} catch (error) {
  console.error((error as Error).stack ?? error);
  process.exit(1);
}
