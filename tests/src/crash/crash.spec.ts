/** kill -9 in mid-replay: started again on the same home it goes on, and ends with every question answered once. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from '@driftloop/embedded';
import { Diary } from '@driftloop/flights';
import { childrenOf, isAlive, parcelsModule, type Started, start, until } from '../commands/process.js';
import { openPlayed } from '../walk/played.js';
import { DAY, parcelsWorld, START } from '../worlds/parcels.js';

const home = mkdtempSync(join(tmpdir(), 'driftloop-crash-'));
const summaryFile = join(home, 'summary.json');
const days = 24;
const args = ['--once', '--world', parcelsModule, '--json', summaryFile];
args.push('--until', new Date(START + days * DAY).toISOString());
const running: Started[] = [];

afterAll(async () => {
  for (const { child, ended } of running) {
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(home, { recursive: true, force: true });
});

/** Starts, waits until the replay has come as far as `day`, and kills; resolves to what was played by then. */
async function killAt(day: number): Promise<number> {
  const started = start(home, args);
  running.push(started);
  const played = () => new Diary(join(home, 'replay')).position()?.played ?? 0;
  const goesOn = () => started.child.exitCode === null || fail(started);
  await until(`day ${day} is played`, () => goesOn() && played() >= START + day * DAY);
  const children = process.platform === 'linux' ? childrenOf(started.child.pid!) : [];
  if (process.platform === 'linux') expect(children).toHaveLength(1);
  started.child.kill('SIGKILL');
  expect(await started.ended).toBe('SIGKILL');
  await until('the replay has ended with its parent', () => !children.some(isAlive), 5_000);
  return played();
}

function fail({ output }: Started): never {
  throw new Error(`it ended: ${JSON.stringify(output())}`);
}

it('goes on after being killed twice, and ends with exit code 0 and every question answered once', async () => {
  const first = await killAt(10);
  const second = await killAt(18);
  expect(second).toBeGreaterThan(first);

  const last = start(home, args);
  running.push(last);
  const code = await last.ended;
  expect({ code, stderr: last.output().stderr }).toEqual({ code: 0, stderr: '' });

  const summary: Summary = JSON.parse(readFileSync(summaryFile, 'utf8'));
  const world = parcelsWorld({ driftAt: 12 });
  const asked = world.happenings.filter((h) => h.kind === 'question' && h.at <= START + days * DAY).length;
  expect(summary.departures).toBe(asked);
  expect(summary.cycles[0]).toMatchObject({ signal: 'bootstrap', outcome: 'promoted' });
  expect(summary.loop.trainings).toBe(summary.cycles.length);

  const played = await openPlayed(home);
  try {
    const { days: counted } = await played.control.status(world.model);
    expect(counted.length).toBeGreaterThan(3);
    for (const { day, predictions } of counted) {
      const due = [...world.happenings].filter(
        (h) => h.kind === 'question' && Math.floor((h.at + 3_600_000) / DAY) * DAY === day!.getTime(),
      );
      expect([day, predictions]).toEqual([day, due.length]);
    }
  } finally {
    await played.close();
  }
}, 180_000);
