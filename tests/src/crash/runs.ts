/** Runs of the subject: one that nothing disturbs, and ones that are killed and started again. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bare } from '@driftloop/testing/environment';
import type { Outcome } from './outcome.js';
import { pointNames } from './points.js';
import { firstUnwritten } from './unwritten.js';
import { countsOf } from './watch.js';
import { type Passage, type Watching, watchingVariable } from './watching.js';

/** A module beside this one, compiled or not: as this one is. */
const beside = (name: string): string =>
  fileURLToPath(new URL(`./${name}${extname(import.meta.url)}`, import.meta.url));

/** What is played. */
export interface Play {
  /** URL of the world's module. */
  readonly world: string;
  /** Event time to stop at, epoch ms. */
  readonly until?: number | undefined;
}

/** How a run is to die: at a passage, or after so many ms. */
export type Death = { readonly at: Passage } | { readonly afterMs: number };

export interface Ended {
  readonly outcome: Outcome;
  /** Of the run that came to its end, ms. */
  readonly ms: number;
  /** Passages of each point in the run that came to its end. */
  readonly counts: ReadonlyMap<string, number>;
  /** How often the run died on its way. */
  readonly deaths: number;
  /** What was said and not written when it died or ended, the first of it. */
  readonly unwritten: string | undefined;
}

/** Longest that one run may take. */
const patienceMs = 600_000;

/** Plays a world on a home of its own; dies in turn as told, each time going on. Throws what the subject wrote when it failed. */
export async function play(played: Play, ...toDie: Death[]): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'driftloop-crash-'));
  try {
    let deaths = 0;
    let lives = 0;
    const live = (death?: Death) => once(folder, played, ++lives, death);
    const isOver = () => existsSync(join(folder, 'outcome.json'));
    let unwritten: string | undefined;
    for (const death of toDie) {
      if (isOver() || (await live(death)) !== 'SIGKILL') continue;
      deaths++;
      unwritten ??= firstUnwritten(join(folder, 'home'));
    }
    const began = performance.now();
    if (!isOver()) checkEnd(await live(), folder);
    const ms = performance.now() - began;
    unwritten ??= firstUnwritten(join(folder, 'home'));
    const outcome: Outcome = JSON.parse(readFileSync(join(folder, 'outcome.json'), 'utf8'));
    return { outcome, ms, counts: countsOf(join(folder, `counts-${lives}`)), deaths, unwritten };
  } finally {
    if (!process.env.DRIFTLOOP_CRASH_KEEP) rmSync(folder, { recursive: true, force: true });
  }
}

function checkEnd(how: number | NodeJS.Signals, folder: string): void {
  if (how !== 0)
    throw new Error(`the run ended with ${how}: ${readFileSync(join(folder, 'log'), 'utf8').slice(-2000)}`);
}

/** One process, to its end or its death; resolves to its exit code or signal. */
async function once(
  folder: string,
  { world, until }: Play,
  life: number,
  death?: Death,
): Promise<number | NodeJS.Signals> {
  const die = death && 'at' in death ? death.at : undefined;
  const counts = join(folder, `counts-${life}`);
  const watching: Watching = { channels: pointNames, counts, ...(die && { die }) };
  const args = [join(folder, 'home'), world, join(folder, 'outcome.json'), until === undefined ? '' : String(until)];
  const log = openSync(join(folder, 'log'), 'a');
  const node = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=8', '--import', beside('watch')];
  const child = spawn(process.execPath, [...node, beside('subject'), ...args], {
    stdio: ['ignore', log, log],
    env: { ...bare, MALLOC_ARENA_MAX: '2', [watchingVariable]: JSON.stringify(watching) },
  });
  closeSync(log);
  const timer = setTimeout(() => child.kill('SIGKILL'), death && 'afterMs' in death ? death.afterMs : patienceMs);
  const how = await new Promise<number | NodeJS.Signals>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal!));
  });
  clearTimeout(timer);
  return how;
}
