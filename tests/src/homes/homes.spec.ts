/**
 * Homes that earlier code has left with its loop in flight (scripts/record-home.mjs): today's opens each, goes on, and comes
 * to what that code came to. And one of a later release is refused, and left as it is.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { currentFormat } from '@driftloop/service';
import { start } from '../commands/process.js';
import { keptIn, outcomeOf } from '../crash/outcome.js';
import { openPlayed } from '../walk/played.js';
import { model, openWorld, truth } from '../worlds/short.js';
import { type Expected, expectedOf } from './expected.js';

interface Recorded {
  readonly commit: string;
  readonly machine: string;
  readonly expected: Expected;
}

const folder = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(folder).flatMap((file) => /^(.+)\.tar\.br$/.exec(file)?.[1] ?? []);
const machine = `${process.platform} ${process.arch}`;
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-recorded-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const unpack = (name: string) =>
  execFileSync('tar', ['-xf', '-', '-C', home], {
    input: brotliDecompressSync(readFileSync(join(folder, `${name}.tar.br`))),
  });

function inFile<T>(work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(home, 'driftloop.sqlite'));
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** Every file of the home, byte for byte. */
function bytes(): object {
  const all = readdirSync(home, { recursive: true, encoding: 'utf8' }).map((name) => join(home, name));
  return Object.fromEntries(
    all.filter((file) => statSync(file).isFile()).map((file) => [file, readFileSync(file, 'base64')]),
  );
}

it('has homes of before numbers, one with a trial under way and one with a training', () => {
  expect(names).toEqual(expect.arrayContaining(['format-0-in-canary', 'format-0-in-training']));
});

describe.each(names)('the home %s', (name) => {
  const recorded: Recorded = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  // Equality is promised for one kind of machine (docs/decisions/0013).
  const other = recorded.machine === machine ? '' : ` (skipped: recorded on ${recorded.machine}, this is ${machine})`;

  (other ? it.skip : it)(
    `opens, and goes on to the ledger, versions and answers of the code that left it${other}`,
    async () => {
      unpack(name);
      const played = await openPlayed(home);
      try {
        const { frozenVersion } = await played.play(openWorld());
        await played.control.settled();
        const diary = played.diary();
        const what = { model, truth: truth(), frozenVersion, diary };
        expect(expectedOf(await outcomeOf(keptIn(played.house), played.control, what))).toEqual(recorded.expected);
      } finally {
        await played.close();
      }
      expect(inFile((db) => db.prepare('PRAGMA user_version').get()?.user_version)).toBe(currentFormat);
    },
  );

  it('is refused by its number where a later release has used it, with exit code 1 and not a byte changed', async () => {
    unpack(name);
    inFile((db) => db.exec(`PRAGMA user_version = ${currentFormat + 1}`));
    const before = bytes();
    const started = start(home, ['--once']);
    expect([await started.ended, started.output()]).toEqual([
      1,
      {
        stdout: '',
        stderr: expect.stringMatching(
          new RegExp(
            `^HOME_NEWER: \\S+ is in format ${currentFormat + 1}, and this release knows none above ${currentFormat}: ` +
              'a newer release has used it; use that one,.*\n$',
          ),
        ),
      },
    ]);
    expect(bytes()).toEqual(before);
  });
});
