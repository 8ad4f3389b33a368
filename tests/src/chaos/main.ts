/**
 * `npm run chaos`: plays a world in quiet in one process, then again in processes on real servers while they are killed,
 * stopped, told the same again and fed records that are no events; then looks whether everything came out the same.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { services } from '@driftloop/contracts';
import { openProcesses, type ProcessHouse, removeHouse } from '@driftloop/embedded';
import { importWorld } from '@driftloop/flights';
import type { Outcome } from '../crash/outcome.js';
import type { Done } from './acts.js';
import { type Asked, Caller } from './caller.js';
import { Disturber } from './disturber.js';
import { type Finding, findings } from './invariants.js';
import { type Options, readOptions, usage } from './options.js';
import { playInProcesses, playQuietly, whoeverServed } from './runs.js';
import { Topics } from './topics.js';

type Tell = (line: string) => void;

async function main(options: Options): Promise<boolean> {
  const began = performance.now();
  const seconds = () => ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  const tell = (line: string) => console.log(`${seconds()} s  ${line}`);
  const namespace = `chaos-${options.seed}-${process.pid}`;
  process.env.DRIFTLOOP_NAMESPACE = namespace;
  const home = mkdtempSync(join(tmpdir(), 'driftloop-chaos-'));
  try {
    return await compare(options, { home, namespace, tell });
  } finally {
    if (options.keep) console.log(`logs are in ${home}, and what the run left on the servers is named ${namespace}`);
    else await remove(home);
  }
}

async function remove(home: string): Promise<void> {
  await removeHouse(process.env, join(home, 'removing')).catch((error: Error) =>
    console.error(`what the run left on the servers is still there: ${error.message}`),
  );
  rmSync(home, { recursive: true, force: true });
}

interface Place {
  readonly home: string;
  readonly namespace: string;
  readonly tell: Tell;
}

/** Plays both runs; whether every invariant held. */
async function compare(options: Options, { home, namespace, tell }: Place): Promise<boolean> {
  tell('the quiet run begins');
  const quiet = await playQuietly(options.world);
  tell(`the quiet run came to ${quiet.ledgerSha256.slice(0, 16)} with ${quiet.cycles.length} cycles`);
  const house = await openHouse(home, options, tell);
  const brokers = process.env.KAFKA_BROKERS!.split(',');
  const topics = await Topics.open(brokers, namespace);
  try {
    const world = (await importWorld(options.world)).openWorld();
    const caller = new Caller(house.address('serving'), world);
    const disturber = new Disturber({ house, topics, caller, servers: options.servers, tell }, options);
    const { done } = disturber;
    const { asked } = caller;
    const look = async (disturbed: Outcome) => {
      tell('the disturbed run is over');
      const [expected, came] = options.replicas === 1 ? [quiet, disturbed] : [quiet, disturbed].map(whoeverServed);
      const ran = { house, topics, world, brokers, namespace, quiet: expected, disturbed: came, done };
      return findings({ ...ran, asked: options.replicas > 1 ? asked : undefined });
    };
    const playing = playInProcesses(house, options.world, process.env, { seed: options.seed, by: disturber });
    const found = await within(options.minutes, playing.then(look));
    for (const { what, against } of found) tell(`${against ? 'FAIL' : 'ok  '} ${what}${against ? `: ${against}` : ''}`);
    const held = found.filter(({ against }) => !against).length;
    tell(`seed ${options.seed}: ${did(done, asked, options)}; ${held} of ${found.length} invariants held`);
    return held === found.length;
  } finally {
    await topics.close();
    await house.close();
  }
}

/** A loop that hangs has failed. */
async function within(minutes: number, run: Promise<Finding[]>): Promise<Finding[]> {
  const against = `not within ${minutes} minutes`;
  const late = pass(minutes * 60_000, [{ what: 'the disturbed run comes to its end', against }], { ref: false });
  return Promise.race([run, late]);
}

function openHouse(home: string, { replicas: each }: Options, tell: Tell): Promise<ProcessHouse> {
  const onExit = ({ part, replica }: { part: string; replica: number }, how: string) =>
    tell(`${part}-${replica} ended by itself with ${how}`);
  const replicas = Object.fromEntries(services.map((service) => [service, each]));
  return openProcesses(home, { environment: process.env, onExit, restartMs: 500, replicas });
}

function did(done: Done, { asked, failed, slowestMs }: Asked, { replicas, away, servers }: Options): string {
  const { kills, stops, outlasting, restarts, poisoned, repeated } = done;
  return [
    `${replicas} of each service, ${kills} kills, ${stops} stood still (${outlasting} past their session)`,
    `${repeated} events again, ${poisoned.length} topics poisoned`,
    `${restarts.length} restarts of servers${servers ? ` (half of them away for ${away / 1000} s)` : ''}`,
    `${failed} of ${asked} live questions failed, the slowest answer took ${slowestMs} ms`,
  ].join(', ');
}

// Their end is an exit like any other: what stands still is let go.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
try {
  const options = readOptions(process.argv.slice(2));
  if (!options) console.log(usage);
  else process.exit((await main(options)) ? 0 : 1);
} catch (error) {
  console.error((error as Error).stack ?? error);
  process.exit(1);
}
