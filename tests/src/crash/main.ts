/**
 * `npm run crash`: plays a world once in quiet, then kills it at seeded points and random times, starts it again each
 * time, and says whether it came to the same end. Exit code 1 where one did not.
 */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { deathName, pointDeaths, timeDeaths } from './plan.js';
import { type Play, play } from './runs.js';
import { type Tried, tryDeath } from './trial.js';

export const usage = `npm run crash [-- OPTIONS]

Kills the whole house with kill -9 in mid-replay, at seeded points of its code and at random times, starts it again on
the same home, and compares ledger, cycles, versions byte for byte, answers, sums and figures with those of a run that
nothing disturbed; at each death it looks whether anything was said that is not written. A line a case; exit code 1
where one differs.

  --points N     deaths at points of the code (default 25: every channel once; as many as the quiet run
                 passes, every point once)
  --times N      deaths at random wall times (default 50)
  --seed N       draws them (default 1)
  --world FILE   another world than the small one of parcels: a module as for npm start
  --until DATE   stop the world at this event time
  --json         the cases as JSON, a line each
  --help         this text`;

interface Options {
  readonly points: number;
  readonly times: number;
  readonly seed: number;
  readonly json: boolean;
  readonly played: Play;
}

function readOptions(args: string[]): Options | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    options: {
      ...{ points: text, times: text, seed: text, world: text, until: text },
      ...{ json: { type: 'boolean' }, help: { type: 'boolean' } },
    },
  });
  if (values.help) return undefined;
  const number = (name: 'points' | 'times' | 'seed', usual: number): number => {
    const value = Number(values[name] ?? usual);
    if (Number.isInteger(value) && value >= 0) return value;
    throw new Error(`--${name} ${values[name]}: write a whole number`);
  };
  const until = values.until === undefined ? undefined : Date.parse(values.until);
  if (Number.isNaN(until)) throw new Error(`--until ${values.until}: write a date, such as 2013-04-01`);
  if (values.world && !existsSync(values.world)) throw new Error(`--world ${values.world}: there is no such file`);
  const world = values.world ? pathToFileURL(values.world).href : new URL('../worlds/short.js', import.meta.url).href;
  const drawn = { points: number('points', 25), times: number('times', 50), seed: number('seed', 1) };
  return { ...drawn, json: values.json ?? false, played: { world, until } };
}

async function main({ points, times, seed, json, played }: Options): Promise<void> {
  const quiet = await play(played);
  const { ledger, cycles, ledgerSha256 } = quiet.outcome;
  const facts = `${ledger.length} decisions in ${cycles.length} cycles, ledger ${ledgerSha256.slice(0, 16)}`;
  if (!json) console.log(`quiet run: ${facts}, ${(quiet.ms / 1000).toFixed(1)} s, ${quiet.counts.size} points`);
  const deaths = [...pointDeaths(quiet.counts, points, seed), ...timeDeaths(quiet.ms, times, seed)];
  let differ = 0;
  for (const death of deaths) {
    const tried = await tryDeath(quiet.outcome, played, death);
    if (tried.difference) differ++;
    console.log(json ? JSON.stringify(tried) : line(tried));
  }
  if (!json) console.log(`${deaths.length - differ} equal, ${differ} differ`);
  process.exitCode = differ ? 1 : 0;
}

function line({ death, died, difference }: Tried): string {
  return `${difference ? 'DIFFERS' : 'equal  '}  ${deathName(death)}${died ? '' : ' (not reached)'}${difference ? `: ${difference}` : ''}`;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options) await main(options);
  else console.log(usage);
} catch (error) {
  console.error(`${(error as Error).message}\n\n${usage}`);
  process.exitCode = 2;
}
