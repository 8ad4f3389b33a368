/**
 * The same stretch of the flights in one process and in six: `npm run loop -- --once --until D`, on the embedded stores and,
 * with `--processes`, on Kafka, MongoDB and S3 (KAFKA_BROKERS, MONGODB_URI, S3_…). They take turns, each on a home of its own.
 * Prints JSON: seconds of the replay (the least of the rounds), how long its trainings took, and the rest, of each and as a
 * ratio to one process. Fails where the two come to different ledgers: then they have not done the same.
 *
 * `npx tsc -b && node_modules/.bin/node bench/dist/processes.js [until] [rounds]`; nothing is asked before 15 February.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { anyPorts, removeHouse } from '@driftloop/embedded';

const until = process.argv[2] ?? '2013-03-01';
const rounds = Number(process.argv[3] ?? 1);
const main = fileURLToPath(new URL('../../deploy/embedded/dist/main.js', import.meta.url));

interface Summary {
  readonly departures: number;
  readonly seconds: number;
  readonly trainingSeconds: number;
  readonly ledgerSha256: string;
}

/** Plays the stretch to its end on a home of its own. Throws with what the run said last where it fails. */
async function play(round: number, processes: boolean): Promise<Summary> {
  const home = await mkdtemp(join(tmpdir(), 'driftloop-bench-'));
  const json = join(home, 'summary.json');
  const namespace = `bench-${process.pid}-${round}`;
  const own = processes ? { DRIFTLOOP_NAMESPACE: namespace } : anyPorts;
  const environment = { ...process.env, ...own, DRIFTLOOP_HOME: home, DRIFTLOOP_LOG_LEVEL: 'warn' };
  try {
    await run(['--once', '--until', until, '--json', json, ...(processes ? ['--processes'] : [])], environment);
  } finally {
    if (processes) await removeHouse(environment, join(home, 'removing'));
  }
  // Of a run that failed the home stays, for its logs.
  const summary = JSON.parse(readFileSync(json, 'utf8')) as Summary;
  await rm(home, { recursive: true, force: true });
  return summary;
}

function run(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], { env });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said = (said + chunk).slice(-2000);
    });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`the run ended with ${code}:\n${said}`))));
  });
}

const rounded = (x: number) => Number(x.toPrecision(3));
const rest = ({ seconds, trainingSeconds }: Summary) => seconds - trainingSeconds;
const least = (of: readonly Summary[]) => of.reduce((best, one) => (rest(one) < rest(best) ? one : best));
const shown = (one: Summary) => ({
  ...{ seconds: one.seconds, trainingSeconds: one.trainingSeconds, restSeconds: rounded(rest(one)) },
  departuresPerSecond: rounded(one.departures / one.seconds),
});

const [ones, sixes] = [[] as Summary[], [] as Summary[]];
for (let round = 0; round < rounds; round++) {
  ones.push(await play(round, false));
  sixes.push(await play(round, true));
}
if (ones[0].departures === 0) throw new Error(`nothing is asked before ${until}: name a later day`);
const ledgers = new Set([...ones, ...sixes].map(({ ledgerSha256 }) => ledgerSha256));
if (ledgers.size > 1) throw new Error(`the runs came to different ledgers: ${[...ledgers].join(', ')}`);
const [one, six] = [least(ones), least(sixes)];
const ratio = { seconds: rounded(six.seconds / one.seconds), restSeconds: rounded(rest(six) / rest(one)) };
const played = { until, rounds, departures: one.departures, ledgerSha256: one.ledgerSha256 };
console.log(JSON.stringify({ ...played, oneProcess: shown(one), sixProcesses: shown(six), ratio }, null, 2));
