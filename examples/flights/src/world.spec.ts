import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { flightsWorld } from './index.js';
import { importWorld } from './world.js';

const folder = mkdtempSync(join(tmpdir(), 'driftloop-world-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const moduleOf = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return pathToFileURL(file).href;
};

it('imports the module of a world', async () => {
  const whole = moduleOf(
    'whole.mjs',
    'export const model = "m"; export const openWorld = () => 1; export const truth = () => 2;',
  );
  const world = await importWorld(whole);
  expect([world.model, world.openWorld(), world.truth()]).toEqual(['m', 1, 2]);
});

it('says what a module lacks to be a world', async () => {
  const half = moduleOf('half.mjs', 'export const model = "m";');
  await expect(importWorld(half)).rejects.toThrow(
    /half\.mjs is no world: it must export model, openWorld\(\) and truth\(\)/,
  );
});

it('finds the flights where the build has put them', async () => {
  expect((await importWorld(flightsWorld.href)).model).toBe('flights');
});
