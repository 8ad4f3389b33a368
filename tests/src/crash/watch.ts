/**
 * Preloaded (`--import`) into every process and thread of a run: counts the passages of the points, and kills the process,
 * as kill -9 would, at the one that it is told to.
 *
 * I1  A SIGKILL from a thread is the whole process's end.
 * I2  A thread may end without a last word, and several may pass the same point one after the other: threads count in a
 *     file.
 */
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { mainCounts, pointOf, type Watching, watchingVariable } from './watching.js';

const told = process.env[watchingVariable];
if (told) watch(JSON.parse(told));

function watch({ channels, counts, die }: Watching): void {
  const passed = new Map<string, number>();
  const inMemory = (point: string) => {
    const nth = (passed.get(point) ?? 0) + 1;
    passed.set(point, nth);
    return nth;
  };
  const count = isMainThread ? inMemory : (point: string) => inFile(counts, point);
  for (const channel of channels) {
    subscribe(channel, (message) => {
      const point = pointOf(channel, message);
      if (count(point) === die?.nth && point === die.point) process.kill(process.pid, 'SIGKILL');
    });
  }
  if (isMainThread) process.on('exit', () => writeFileSync(mainCounts(counts), JSON.stringify([...passed])));
}

/** I2 */
function inFile(file: string, point: string): number {
  appendFileSync(file, `${point}\n`);
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line === point).length;
}

/** How often a run that has ended passed each point. */
export function countsOf(counts: string): Map<string, number> {
  const all = new Map<string, number>(JSON.parse(readFileSync(mainCounts(counts), 'utf8')));
  const lines = existsSync(counts) ? readFileSync(counts, 'utf8').split('\n').filter(Boolean) : [];
  for (const point of lines) all.set(point, (all.get(point) ?? 0) + 1);
  return all;
}
