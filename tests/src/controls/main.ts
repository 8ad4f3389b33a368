/** `npm run controls`: runs each control and prints what it must show beside what it showed. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { aa } from './aa.js';
import { type Control, type ControlContext, type ControlResult, runControl } from './control.js';
import { leakProbe } from './leak-probe.js';
import { poisonedWindows } from './poisoned-window.js';
import { table } from './print.js';
import { schedules } from './schedules.js';
import { shuffledArrival } from './shuffled-arrival.js';
import { shuffledLabels } from './shuffled-labels.js';
import { stationary } from './stationary.js';
import { openYear, type Year } from './year.js';

/** In the order in which they are run. */
const controls: Record<string, Control> = {
  aa,
  shuffled: shuffledLabels,
  poisoned: poisonedWindows,
  stationary,
  leak: leakProbe,
  arrival: shuffledArrival,
  schedules,
};

const usage = `npm run controls [-- OPTIONS]

Runs experiments whose right outcome is known beforehand, on the year of flights, with the product's own recipe, gate, judge,
policy and quarantine, and prints what each must show beside what it showed. Ends with 1 where one is out of range.
The year's training set and the models are kept in the folder controls of the home DRIFTLOOP_HOME (.driftloop): a second
run takes a part of the time.

  --only NAME   run this one alone; may be given several times: ${Object.keys(controls).join(', ')}
  --seed N      another seed (1)
  --json        print the results as JSON
  --help        this text`;

interface Options {
  only: string[];
  seed: number;
  json: boolean;
  help: boolean;
}

/** Reads the options. Throws an Error that says what is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true },
      seed: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const only = values.only ?? Object.keys(controls);
  const unknown = only.find((name) => !(name in controls));
  if (unknown)
    throw new Error(`--only ${unknown}: there is no such control; known: ${Object.keys(controls).join(', ')}`);
  const seed = Number(values.seed ?? 1);
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed ${values.seed}: write a whole number`);
  return { only, seed, json: values.json ?? false, help: values.help ?? false };
}

async function main({ only, seed, json }: Options): Promise<boolean> {
  const home = resolve(join(process.env.DRIFTLOOP_HOME || '.driftloop', 'controls'));
  mkdirSync(home, { recursive: true });
  const tell = (what: string) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${what}`.slice(0, (process.stderr.columns ?? 80) + 4));
  };
  let year: Promise<Year> | undefined;
  const openOnce = () => {
    year ??= openYear(home, tell);
    return year;
  };
  const context: ControlContext = { seed, home, tell, year: openOnce };
  const results: ControlResult[] = [];
  for (const name of only) {
    results.push(await runControl(controls[name], context));
    if (!json) {
      tell('');
      process.stdout.write(table(results.slice(-1), results.length === 1));
    }
  }
  if (json) console.log(JSON.stringify(results, null, 2));
  const failed = results.filter(({ holds }) => !holds).map(({ control }) => control);
  if (!json) console.log(failed.length ? `\nout of range: ${failed.join('; ')}` : '\nevery control is in its range');
  return failed.length === 0;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  else process.exitCode = (await main(options)) ? 0 : 1;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
