/** `npm start` where it cannot start: one clear line that names what to change, exit code 1 (2 when called wrongly), and nothing left behind. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { anyPorts } from '@driftloop/embedded';
import { runToEnd } from '@driftloop/testing/running';
import { parcelsModule, type Started, start, takenPort, until } from './process.js';

const home = mkdtempSync(join(tmpdir(), 'driftloop-start-'));
const running: Started[] = [];

afterAll(async () => {
  for (const { child, ended } of running) {
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(home, { recursive: true, force: true });
});

async function run(folder: string, args: string[] = ['--once'], environment: Record<string, string> = {}) {
  const started = start(folder, args, { ...anyPorts, ...environment });
  running.push(started);
  const code = await started.ended;
  return { code, ...started.output() };
}

const oneLine = (message: RegExp) => ({ code: 1, stderr: expect.stringMatching(message) });

it.each([
  ['DRIFTLOOP_SERVING_PORT', 'serving'],
  ['DRIFTLOOP_GATEWAY_PORT', 'gateway'],
])(
  'names %s where that port is taken',
  async (variable, service) => {
    const taken = await takenPort();
    const ended = await run(home, ['--once'], { [variable]: String(taken.port) });
    taken.close();
    expect(ended).toMatchObject(
      oneLine(new RegExp(`^PORT_TAKEN: ${service} cannot listen on 127\\.0\\.0\\.1:${taken.port}.*${variable}.*\\n$`)),
    );
    expect(ended.stdout).toBe('');
  },
  30_000,
);

it('names the process that has the home, which ends in order when told to, and leaves the home to the next', async () => {
  const short = ['--world', parcelsModule, '--until', '2024-01-09'];
  // Without --once it stays up, however fast it is.
  const first = start(home, short);
  running.push(first);
  await until('the first is up', () => first.output().stdout.includes('driftloop is up'), 20_000);
  const second = await run(home);
  const holder = first.child.pid;
  expect(second).toMatchObject(
    oneLine(new RegExp(`^HOME_LOCKED: .* is in use by process ${holder}: stop it, or set DRIFTLOOP_HOME.*\\n$`)),
  );
  first.child.kill('SIGTERM');
  // Cut short, which is no success, unless the walk was over.
  expect([0, 143]).toContain(await first.ended);
  expect(first.output().stderr).toBe('');
  // ONNX Runtime, left to itself, would keep a device id in the home of whoever runs it.
  const of = mkdtempSync(join(tmpdir(), 'driftloop-user-'));
  // (What compiles the sources for specs keeps its own elsewhere.)
  const elsewhere = { HOME: of, XDG_CACHE_HOME: join(home, 'cache') };
  expect(await run(home, ['--once', ...short], elsewhere)).toMatchObject({ code: 0, stderr: '' });
  expect(readdirSync(of)).toEqual([]);
  rmSync(of, { recursive: true });
}, 60_000);

it('says that a home cannot be written', async () => {
  const file = join(home, 'a-file');
  writeFileSync(file, '');
  expect(await run(join(file, 'home'))).toMatchObject(
    oneLine(/^HOME_NOT_WRITABLE: .*a-file\/home cannot be used: ENOTDIR; make it writable, or set DRIFTLOOP_HOME.*\n$/),
  );
}, 30_000);

it('says that the database of a home is none', async () => {
  const spoilt = mkdtempSync(join(home, 'spoilt-'));
  writeFileSync(join(spoilt, 'driftloop.sqlite'), 'not a database, but longer than a header of one'.repeat(50));
  expect(await run(spoilt)).toMatchObject(oneLine(/^HOME_CORRUPT: .*restore it, or set DRIFTLOOP_HOME.*\n$/));
}, 30_000);

it('refuses an environment that would open the doors to everybody', async () => {
  expect(await run(home, ['--once'], { DRIFTLOOP_HOST: '0.0.0.0' })).toMatchObject(
    oneLine(/^AUTH_REQUIRED: .*DRIFTLOOP_TOKEN.*\n$/),
  );
}, 30_000);

it('explains itself when called wrongly', async () => {
  const ended = await run(home, ['--untill', '2013-02-20']);
  expect(ended).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/--untill[\s\S]*npm start \[-- OPT/),
  });
  expect(ended.stderr).not.toMatch(/\n\s+at /);
}, 30_000);

it('keeps the replay credential to the owner of the home', () => {
  const file = join(home, 'replay.token');
  expect(readFileSync(file, 'utf8')).toMatch(/^[0-9a-f]{48}$/);
  expect(statSync(file).mode & 0o077).toBe(0);
});

it.each(readdirSync('services').filter((name) => existsSync(`services/${name}/src/main.ts`)))(
  '%s alone says in one line that the embedded mode is one process, and how it starts by itself',
  async (service) => {
    const ended = await runToEnd(resolve(`services/${service}/src/main.ts`), []);
    expect(ended).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^[a-z-]+: ONE_PROCESS: .*npm start.*DRIFTLOOP_MODE=cluster\n$/),
    });
  },
);
