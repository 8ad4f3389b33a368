/**
 * `npm run fuzz`: sends a system inputs that nobody should send, at every door, and says whether anything came of them that may
 * not: a process that ends or stalls, a stack or a path, an unexpected status, memory that stays, another caller's answer.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { again } from './again.js';
import { fromJson } from './input.js';
import { type Options, readOptions, usage } from './options.js';
import { fuzz, mebibytes, type Ran } from './run.js';

async function main(options: Options): Promise<boolean> {
  const began = performance.now();
  const tell = (line: string) =>
    console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  if (options.replay) return again(options, fromJson(readFileSync(options.replay, 'utf8')), tell);
  const ran = await fuzz(options, tell);
  for (const line of summary(ran, options)) tell(line);
  if (options.report) writeFileSync(options.report, `${JSON.stringify(reportOf(ran, options), null, 1)}\n`);
  const { all } = ran.findings;
  // Counted by CI: what must hold is one for each method that was sent to, and one for the rest.
  console.log(`${Object.keys(ran.counted.fields).length + 1} passed, ${all.length} failed`);
  return all.length === 0;
}

function summary(
  { inputs, counted, watched, before, after, seconds, findings, cpuMs }: Ran,
  { seed }: Options,
): string[] {
  const methods = Object.values(counted.fields);
  const fields = methods.reduce((sum, of) => sum + Object.keys(of).length, 0);
  const statuses = new Map<string, number>();
  for (const of of Object.values(counted.statuses))
    for (const [status, count] of Object.entries(of)) statuses.set(status, (statuses.get(status) ?? 0) + count);
  const answered = [...statuses].sort((a, b) => b[1] - a[1]).map(([status, count]) => `${count} ${status}`);
  const { looks, slowestMs, p99Ms, above500, asked } = watched;
  const memory = after ? `${mebibytes(after.live)} (${mebibytes(after.resident)} resident)` : 'unknown';
  return [
    `seed ${seed}: ${inputs} inputs in ${seconds.toFixed(1)} s, ${methods.length} methods, ${fields} fields`,
    `CPU: ${cpuMs.system} ms an input in the system, ${cpuMs.sending} ms in sending and watching`,
    `answers: ${answered.join(', ')}`,
    `health: ${looks} looks, p99 ${p99Ms} ms, slowest ${slowestMs} ms, ${above500} above 500 ms; bystanders asked ${asked} times`,
    `memory: ${mebibytes(before.live)} MiB lived (${mebibytes(before.resident)} resident), then ${memory}`,
    ...findings.all.map(({ what, times }) => `${times} times: ${what.slice(0, 200)}`),
  ];
}

const reportOf = ({ findings, ...ran }: Ran, { seed }: Options) => ({ seed, ...ran, findings: findings.all });

try {
  const options = readOptions(process.argv.slice(2));
  if (!options) console.log(usage);
  else process.exit((await main(options)) ? 0 : 1);
} catch (error) {
  console.error((error as Error).stack ?? error);
  process.exit(1);
}
