/** The embedded bus and kill -9: nothing lost, and the group goes on from what it committed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EmbeddedBus } from './embedded.js';
import { openDatabase } from './testing/embedded-ground.js';

const program = fileURLToPath(new URL('./testing/crashing.ts', import.meta.url));
/** Offsets become durable at least every 128 events; so many may come again after a crash, per partition. */
const mostRepeated = 128;

/** Runs the program until it has handled so many events more, and kills it in the middle. Resolves with what it said. */
async function runAndKill(path: string, events: number): Promise<{ published: number }> {
  const child: ChildProcess = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let published = -1;
  let left = events;
  for await (const line of createInterface({ input: child.stdout! })) {
    const [word, count] = line.split(' ');
    if (word === 'published') published = Number(count);
    if (word === 'handled' && --left === 0) child.kill('SIGKILL');
  }
  return { published };
}

describe('the embedded bus and kill -9', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'driftloop-crash-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('loses nothing that was published, and resumes near where it was killed', async () => {
    const path = join(folder, 'driftloop.db');
    let published = -1;
    for (const events of [300, 1, 450]) published = Math.max(published, (await runAndKill(path, events)).published);
    const db = openDatabase(path);
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    const before = db
      .prepare('SELECT partition, max(offset) AS last, count(*) AS n FROM seen GROUP BY partition')
      .all();
    const bus = EmbeddedBus.open(db);
    const again: { partition: number; offset: number; n: number }[] = [];
    const handle = async (event: { partition: number; offset: number; data: unknown }) => {
      again.push({ partition: event.partition, offset: event.offset, n: (event.data as { n: number }).n });
    };
    await bus.subscribe({ group: 'crash.when-said', topics: ['said'], handle });
    await bus.settled();
    const seen = db
      .prepare('SELECT DISTINCT n FROM seen')
      .all()
      .map((row) => Number(row.n));
    const all = new Set([...seen, ...again.map((event) => event.n)]);
    for (let n = 0; n <= published; n++) expect(all.has(n)).toBe(true);
    for (const { partition, last, n } of before) {
      expect(Number(n)).toBeGreaterThan(0);
      const first = again.find((event) => event.partition === partition);
      if (!first) continue;
      expect(first.offset).toBeLessThanOrEqual(Number(last) + 1);
      expect(first.offset).toBeGreaterThan(Number(last) - mostRepeated);
    }
    await bus.close();
    db.close();
  }, 60_000);
});
