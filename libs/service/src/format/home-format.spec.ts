/** The format of a home: numbered, brought on step by step, refused where it is newer, killed half way. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { LoopError } from '@driftloop/contracts';
import { migrateHome, openHome } from '../home.js';
import { currentFormat, openEmbeddedStore, readSettings } from '../index.js';
import { type HomeStored, latestOf, type Step } from './steps.js';

const settings = readSettings({ DRIFTLOOP_LOG_LEVEL: 'fatal' });
const rows = 10;
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-format-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Does something with the home's file, from outside. */
function inFile<T>(work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(home, 'driftloop.sqlite'));
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const formatNow = (): unknown => inFile((db) => db.prepare('PRAGMA user_version').get()?.user_version);
const rowsNow = (): unknown[] => inFile((db) => db.prepare('SELECT n FROM rows ORDER BY id').all()).map(({ n }) => n);

/** A home of before numbers, with a table of the spec's own. */
async function oldHome(): Promise<void> {
  await (await openEmbeddedStore(home, settings)).close();
  inFile((db) => {
    db.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY, n INTEGER); PRAGMA user_version = 0');
    for (let id = 0; id < rows; id++) db.exec(`INSERT INTO rows VALUES (${id}, 7)`);
  });
}

/** Every file of the home, byte for byte, and when it was written last. */
function bytes(): object {
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(home, name)).isFile(),
  );
  return Object.fromEntries(
    files.map((name) => [name, [statSync(join(home, name)).mtimeMs, readFileSync(join(home, name), 'hex')]]),
  );
}

/** Writes a number and dies: the number is in the log beside the file, and what tells where it ends is stale. */
function dieWithNumber(number: number): void {
  const source = `
    const { DatabaseSync } = require('node:sqlite');
    const lock = new DatabaseSync(process.argv[1] + '/lock');
    lock.exec('BEGIN EXCLUSIVE');
    const db = new DatabaseSync(process.argv[1] + '/driftloop.sqlite');
    db.exec('PRAGMA journal_mode = WAL; PRAGMA user_version = ${number}');
    process.kill(process.pid, 'SIGKILL');`;
  spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', source, home]);
}

const codeOf = (error: unknown): string => (error as LoopError).code;
const numbered: Step<HomeStored> = { to: 1, name: 'numbered', when: 'start', run: () => undefined };
const adding = (to: number, when: Step<HomeStored>['when']): Step<HomeStored> => ({
  ...{ to, when, name: `add ${to}` },
  run: ({ db }) => db.exec(`UPDATE rows SET n = n * 10 + ${to}`),
});

describe('a home', () => {
  it('gets the current number before its first table, and is opened again with nothing to do', async () => {
    const { db, close, migrated } = await openHome(home);
    expect(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n).toBe(0);
    expect(migrated).toEqual({ found: 'nothing', format: currentFormat, done: [] });
    close();
    await (await openEmbeddedStore(home, settings)).close();
    expect(formatNow()).toBe(currentFormat);
    expect(await migrateHome(home)).toEqual({ found: currentFormat, format: currentFormat, done: [] });
  });

  it('of before numbers opens and is stamped', async () => {
    await oldHome();
    await (await openEmbeddedStore(home, settings)).close();
    expect(formatNow()).toBe(currentFormat);
    expect(rowsNow()).toHaveLength(rows);
  });

  it('is not made by asking for a migration', async () => {
    await expect(migrateHome(home)).rejects.toMatchObject({ code: 'HOME_MISSING' });
    expect(readdirSync(home)).toEqual([]);
  });

  it('is not migrated while it is in use', async () => {
    const store = await openEmbeddedStore(home, settings);
    await expect(migrateHome(home, [numbered, adding(2, 'command')])).rejects.toMatchObject({ code: 'HOME_LOCKED' });
    await store.close();
  });
});

describe('a newer home', () => {
  const leave = {
    'that was closed': async () => inFile((db) => db.exec('PRAGMA user_version = 9')),
    'whose process was killed': async () => dieWithNumber(9),
    'whose process was killed, copied without the index of its log': async () => {
      dieWithNumber(9);
      rmSync(join(home, 'driftloop.sqlite-shm'));
      rmSync(join(home, 'lock-journal'), { force: true });
    },
  };
  it.each(Object.entries(leave))('%s is refused by its number, and not a byte of it changes', async (_, left) => {
    await oldHome();
    await left();
    const before = bytes();
    for (const open of [() => openEmbeddedStore(home, settings), () => migrateHome(home)]) {
      const refused = { code: 'HOME_NEWER', retriable: false, details: { home, found: 9, known: currentFormat } };
      await expect(open()).rejects.toMatchObject({ ...refused, message: expect.stringContaining('a newer release') });
      expect(bytes()).toEqual(before);
    }
  });
});

describe('steps', () => {
  const quick = [numbered, adding(2, 'start'), adding(3, 'start')];
  const long = [...quick, adding(4, 'command'), adding(5, 'start')];

  it('that are quick are done by a start, in order and once', async () => {
    await oldHome();
    for (const done of [quick.map(({ to, name }) => ({ to, name })), []]) {
      const opened = await openHome(home, 'start', quick);
      expect(opened.migrated).toMatchObject({ format: 3, done });
      opened.close();
    }
    expect(rowsNow()).toEqual(Array(rows).fill(723));
  });

  it('that a start cannot do refuse it by the name of the command, before any other is done; the command does them', async () => {
    await oldHome();
    const refused = { code: 'HOME_NEEDS_MIGRATION', message: expect.stringContaining('driftloop migrate --home') };
    const before = bytes();
    await expect(openHome(home, 'start', long)).rejects.toMatchObject(refused);
    expect(bytes()).toEqual(before);
    expect(await migrateHome(home, long)).toMatchObject({ found: 0, format: 5, done: long.map(({ to }) => ({ to })) });
    expect(rowsNow()).toEqual(Array(rows).fill(72_345));
    (await openHome(home, 'start', long)).close();
  });

  it('are not done to a home that is made now', async () => {
    const opened = await openHome(home, 'start', long);
    expect(opened.migrated).toEqual({ found: 'nothing', format: 5, done: [] });
    opened.close();
  });

  it('that fail leave the format before and say so; mended they go on from there', async () => {
    await oldHome();
    const half = ({ db }: HomeStored) => {
      db.exec('UPDATE rows SET n = 0');
      throw new Error('row 3 has no weight');
    };
    const broken = [...quick.slice(0, 2), { ...quick[2], run: half }];
    const failed = await openHome(home, 'start', broken).catch((error) => error);
    expect(failed).toBeInstanceOf(LoopError);
    expect([codeOf(failed), failed.details]).toEqual([
      'MIGRATION_FAILED',
      { what: home, to: 3, name: 'add 3', reason: 'row 3 has no weight' },
    ]);
    expect([formatNow(), rowsNow()]).toEqual([2, Array(rows).fill(72)]);
    (await openHome(home, 'start', quick)).close();
    expect([formatNow(), rowsNow()]).toEqual([3, Array(rows).fill(723)]);
  });

  it('have to follow each other', () => {
    expect(() => latestOf([numbered, adding(3, 'start')])).toThrow('"add 3" leads to format 3');
  });
});

describe('a migration that is killed', () => {
  const program = fileURLToPath(new URL('./testing/migrating.ts', import.meta.url));
  const run = (point: string, to: number) =>
    spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', program, 'home', home, '-', point, `${to}`], {
      encoding: 'utf8',
    });
  const digits = (to: number) => Number([7, 1, 2, 3].slice(0, to + 1).join(''));

  it.each(['in-step', 'before-number', 'after-number'].flatMap((point) => [1, 2, 3].map((to) => [point, to] as const)))(
    '%s of step %i leaves the old state or the new one, and goes on',
    async (point, to) => {
      await oldHome();
      expect(run(point, to).signal).toBe('SIGKILL');
      const format = point === 'after-number' ? to : to - 1;
      expect([formatNow(), rowsNow()]).toEqual([format, Array(rows).fill(digits(format))]);
      const { status, stdout, stderr } = run('never', 0);
      expect([status, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toMatchObject({ found: format, format: 3 });
      expect([formatNow(), rowsNow(), existsSync(join(home, 'pid'))]).toEqual([3, Array(rows).fill(7123), false]);
    },
  );
});
