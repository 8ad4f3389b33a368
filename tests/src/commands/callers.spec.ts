/** Callers with names against a running house: made, let in, held to their roles, and audited, from the command line. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPlayed, type Played } from '../walk/played.js';
import { DAY, parcelsWorld, START } from '../worlds/parcels.js';
import { driftloop } from './process.js';

const folder = mkdtempSync(join(tmpdir(), 'driftloop-callers-'));
const file = join(folder, 'tokens');
let played: Played;

beforeAll(async () => {
  writeFileSync(file, '# callers\n', { mode: 0o600 });
  played = await openPlayed(undefined, { DRIFTLOOP_TOKENS_FILE: file });
  await played.play(parcelsWorld(), START + 4 * DAY);
}, 60_000);
afterAll(async () => {
  await played?.close();
  rmSync(folder, { recursive: true });
});

const as = (token: string, ...args: string[]) =>
  driftloop(args, {
    ...{ DRIFTLOOP_URL: played.house.url, DRIFTLOOP_SERVING_ADDRESS: played.house.address('serving') },
    DRIFTLOOP_TOKEN: token,
  });

/** Makes a token and lets it in, as a person does; returns it once the house has seen it. */
async function made(name: string, role: string): Promise<string> {
  const { code, stdout, stderr } = await driftloop(['token', name, '--role', role], {});
  expect(code).toBe(0);
  const token = /: (dl_\S+)\n$/.exec(stderr)![1];
  expect(stdout).not.toContain(token);
  appendFileSync(file, stdout);
  const headers = { authorization: `Bearer ${token}` };
  while ((await fetch(`${played.house.url}/v1/models`, { headers })).status === 401)
    await new Promise((resolve) => setTimeout(resolve, 50));
  return token;
}

it('lets a caller in that is added while the house runs, as far as its role goes, and says who did what', async () => {
  const [ana, rob] = [await made('ana', 'operator'), await made('rob', 'reader')];
  expect(await as(rob, 'status')).toMatchObject({ code: 0, stdout: expect.stringContaining('v0 answers') });
  expect(await as(rob, 'pause', '--note', 'secret plans')).toMatchObject({
    ...{ code: 1, stderr: expect.stringMatching(/^ROLE_MISSING: .*needs the role operator, and rob has reader/) },
  });
  expect(await as(ana, 'pause', '--note', 'secret plans')).toMatchObject({ code: 0 });
  expect(await as(ana, 'resume')).toMatchObject({ code: 0 });
  expect(await as(ana, 'promote', 'v99')).toMatchObject({ code: 1 });
  expect(await as(rob, 'audit')).toMatchObject({ code: 1, stderr: expect.stringContaining('ROLE_MISSING') });
  const { stdout } = await as(ana, 'audit', '--json');
  const acts = JSON.parse(stdout) as Record<string, string>[];
  expect(acts.slice(0, 6).map(({ by, service, act, subject, status }) => [by, service, act, subject, status])).toEqual([
    ['rob', 'gateway', 'audit', '', 'PERMISSION_DENIED'],
    ['ana', 'registry', 'promote', 'parcels', 'NOT_FOUND'],
    ['ana', 'monitoring', 'resume', 'parcels', 'OK'],
    ['ana', 'monitoring', 'pause', 'parcels', 'OK'],
    ['rob', 'gateway', 'pause', 'parcels', 'PERMISSION_DENIED'],
    ['main (replay credential)', 'registry', 'apply', 'parcels', 'OK'],
  ]);
  expect(stdout).not.toMatch(/secret plans|dl_/);
  const table = await as(ana, 'audit', '--by', 'ana', '--subject', 'parcels', '--limit', '1');
  expect(table.stdout).toMatch(
    /^wall time .*\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +ana +operator +registry +promote +parcels +\S+/,
  );
  expect(table.stdout.trim().split('\n')).toHaveLength(2);
}, 60_000);

it('names the caller in what records say of its acts', async () => {
  const ben = await made('ben', 'operator');
  const { stdout } = await as(ben, 'pause', '--json');
  expect(JSON.parse(stdout).pausedNote).toContain('by ben');
  await as(ben, 'resume');
}, 60_000);

it('refuses to make a token of a name or a role that is none', async () => {
  expect(await driftloop(['token', '127.0.0.1:5', '--role', 'reader'], {})).toMatchObject({
    ...{ code: 1, stdout: '', stderr: expect.stringMatching(/^TOKEN_INVALID: name is not 1 to 64/) },
  });
  expect(await driftloop(['token', 'ana', '--role', 'king'], {})).toMatchObject({
    ...{ code: 2, stderr: expect.stringContaining('Allowed choices are admin, operator') },
  });
});
