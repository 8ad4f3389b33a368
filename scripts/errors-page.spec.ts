/** docs/errors.md has every error that ships, with what to do; and an error that does not say it ends the page. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { catalogue, catalogueOf } from '@driftloop/contracts';

const root = resolve(import.meta.dirname, '..');
const args = ['--disable-warning=ExperimentalWarning', '--import', './scripts/source.mjs', 'scripts/errors-page.mjs'];
const page = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
const lines = page.stdout.split('\n').filter((line) => line.startsWith('| `'));

/** Codes of the rows in every `errors.ts`. */
const codes = ['libs', 'services']
  .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name, 'src', 'errors.ts')))
  .flatMap((path) => {
    try {
      return [...readFileSync(path, 'utf8').matchAll(/^ {2}([A-Z][A-Z_]+): \{$/gm)].map(([, code]) => code);
    } catch {
      return [];
    }
  });

it('the page of errors is what the catalogues say', () => {
  expect(page.stderr).toBe('');
  expect(readFileSync(join(root, 'docs/errors.md'), 'utf8')).toBe(page.stdout);
});

it('each error is there with status, message and remedy, in words without a fact', () => {
  expect(codes.length).toBeGreaterThan(150);
  for (const code of codes) expect(lines.some((line) => line.startsWith(`| \`${code}\` `))).toBe(true);
  for (const line of lines) {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    expect(cells).toHaveLength(7);
    expect(cells.slice(1, -1).every((cell) => cell !== '')).toBe(true);
    expect(line).not.toMatch(/undefined|\[object|Infinity|NaN\b/);
  }
});

it('a catalogue tells what it is made of, and nothing else is one', () => {
  const rows = { GONE: { status: 'NOT_FOUND' as const, retriable: false, message: () => 'it is gone; look again' } };
  const made = catalogue('spec of errors', rows);
  expect(catalogueOf(made)).toEqual({ service: 'spec of errors', rows });
  expect(made.GONE({})).toMatchObject({ code: 'GONE', message: 'it is gone; look again' });
  for (const other of [{}, undefined, 'x', rows]) expect(catalogueOf(other)).toBeUndefined();
});
