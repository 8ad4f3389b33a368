/** The embedded documents, the outbox, and kill -9. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { EmbeddedBus } from '@driftloop/bus';
import mongoose from 'mongoose';
import { openEmbedded } from './embedded/open.js';
import { MongooseOutbox } from './mongoose-outbox.js';
import { outboxed } from './outboxed.js';

const program = fileURLToPath(new URL('./testing/crashing.ts', import.meta.url));

/** Runs the program until `enough` of its lines says so, and kills it. Resolves with its lines. */
async function runAndKill(path: string, mode: string, enough: (line: string) => boolean, fail = ''): Promise<string[]> {
  const env = { ...process.env, FAIL: fail };
  const child = spawn(process.execPath, [program, path, mode], { stdio: ['ignore', 'pipe', 'inherit'], env });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (enough(line)) child.kill('SIGKILL');
  }
  return lines;
}

describe('kill -9', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'driftloop-crash-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('loses no document and no change that was acknowledged, and tears none', async () => {
    const path = join(folder, 'documents.db');
    let saved = 0;
    for (const more of [150, 1, 200]) {
      const until = saved + more;
      const lines = await runAndKill(path, 'documents', (line) => Number(line.split(' ')[1]) >= until);
      saved = Number(lines.at(-1)!.split(' ')[1]);
    }
    const db = new DatabaseSync(path);
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    const connection = await openEmbedded(db, 'crash', { onScan: 'throw' });
    const rows = await connection.collection('rows').find({}).toArray();
    expect(rows.length - saved).toBeGreaterThanOrEqual(0);
    expect(rows.length - saved).toBeLessThanOrEqual(1);
    for (const { _id, half } of rows) expect(half).toBe(Number(_id) / 2);
    const [first] = rows;
    expect(first.seen).toBeGreaterThanOrEqual(saved);
    expect(await connection.collection('rows').countDocuments({ half: { $gt: 0 } })).toBe(rows.length);
    await connection.close();
    db.close();
  }, 60_000);

  it.each(['before', 'after'])(
    'sends the same events when killed %s the bus had them',
    async (fail) => {
      const path = join(folder, `outbox-${fail}.db`);
      const lines = await runAndKill(path, 'outbox', (line) => line.startsWith('killed'), fail);
      const ids = lines
        .find((line) => line.startsWith('killed'))!
        .slice('killed '.length)
        .split(',');
      expect(ids.length).toBe(2);
      const db = new DatabaseSync(path);
      const bus = EmbeddedBus.open(db);
      await bus.declare('cycle.closed', { partitions: 1, keep: '1d' });
      const connection = await openEmbedded(db, 'crash', { onScan: 'throw' });
      const outbox = new MongooseOutbox(connection, bus, 'monitoring');
      const Cycle = connection.model('Cycle', new mongoose.Schema({ _id: String, n: Number }).plugin(outboxed));
      await outbox.drained();
      const published = await bus.read('cycle.closed', 0, 0, 100);
      expect(published.map(({ id }) => id)).toEqual(fail === 'after' ? [...ids, ...ids] : ids);
      expect(await Cycle.collection.findOne({})).toMatchObject({ n: 1, pending: [] });
      await outbox.close();
      await bus.close();
      await connection.close();
      db.close();
    },
    60_000,
  );
});
