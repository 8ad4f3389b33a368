/** The token file: what is wrong with one, and what a running service does when it changes. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdminClient, LabelingClient, type LoopError, tokenLine } from '@driftloop/contracts';
import { testService } from '@driftloop/testing/service';
import { call, grpcClient, readSettings, Secret } from './index.js';
import { tiny } from './testing/tiny-service.js';
import { readTokens } from './token-file.js';

const folder = mkdtempSync(join(tmpdir(), 'driftloop-tokens-'));
const file = join(folder, 'tokens');
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
type Roles = Parameters<typeof tokenLine>[0]['roles'];
const line = (name: string, roles: Roles = ['admin']) => tokenLine({ name, sha256: sha256(tokenOf(name)), roles });
const tokenOf = (name: string) => `the-token-of-${name}`;
const request = { label: 'x', outcomes: [], watermark: undefined };

/** Puts another file in the place of the one there, whole, as orchestrators do. */
function put(text: string, mode = 0o600): void {
  writeFileSync(`${file}.new`, text);
  chmodSync(`${file}.new`, mode);
  renameSync(`${file}.new`, file);
}

async function started(environment = {}) {
  const lines: string[] = [];
  const logLines = { write: (text: string) => void lines.push(text) };
  const service = await testService(tiny, { environment: { DRIFTLOOP_TOKENS_FILE: file, ...environment }, logLines });
  open.push(service);
  const as = (name: string) => {
    const secret = new Secret(tokenOf(name));
    const made = grpcClient(LabelingClient, `127.0.0.1:${service.port}`, secret);
    const admin = grpcClient(AdminClient, `127.0.0.1:${service.port}`, secret);
    open.push(made, admin);
    const ask = () =>
      call(made, 'recordOutcomes', request).then(
        () => 'answered',
        (error: LoopError) => error.code,
      );
    return { ask, describe: () => call(admin, 'describe', {}) };
  };
  return { service, as, lines };
}

/** Resolves when it holds: a changed file is found at the next look. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

it('lets callers of the file in by name, and nobody else, though no other token is set', async () => {
  put(`# people\n${line('ana')}\n\n${line('ben')}\n`);
  const { as, service } = await started();
  expect([await as('ana').ask(), await as('ben').ask(), await as('eve').ask()]).toEqual([
    ...['answered', 'answered', 'CREDENTIAL_REFUSED'],
  ]);
  const stranger = grpcClient(LabelingClient, `127.0.0.1:${service.port}`);
  open.push(stranger);
  await expect(call(stranger, 'recordOutcomes', request)).rejects.toMatchObject({ code: 'CREDENTIAL_MISSING' });
});

it('lets the services of its own process in with a token that no file has', async () => {
  put(line('ana'));
  const { service } = await started();
  const asking = service.ground.addresses.client(LabelingClient, 'labeling');
  open.push(asking);
  expect((await call(asking, 'recordOutcomes', request)).accepted).toBe(1);
});

it('sees a file that is put in its place: a new name is let in, a removed one is refused', async () => {
  put(line('ana'));
  const { as } = await started();
  const [ana, ben] = [as('ana'), as('ben')];
  expect([await ana.ask(), await ben.ask()]).toEqual(['answered', 'CREDENTIAL_REFUSED']);
  put(line('ben'));
  await until(async () => (await ben.ask()) === 'answered');
  expect(await ana.ask()).toBe('CREDENTIAL_REFUSED');
});

it('keeps the last good file while the new one is broken, and says so until it is mended', async () => {
  put(line('ana'));
  const { as, service, lines } = await started({ DRIFTLOOP_LOG_LEVEL: 'info' });
  const ana = as('ana');
  put(`${line('ana')}\n{"name":"ben","sha256":"12","roles":["king"]}\n`);
  await until(async () => (await ana.describe()).attention.length > 0);
  const [said] = (await ana.describe()).attention;
  expect(said).toMatch(/line 2 \(ben\) sha256: is not 64 digits.*line 2 \(ben\) roles\.0: is none of admin/);
  expect(said).toContain('the tokens of before hold');
  expect([await ana.ask(), await as('ben').ask(), service.ready()]).toEqual(['answered', 'CREDENTIAL_REFUSED', true]);
  expect(lines.some((text) => JSON.parse(text).level === 50 && text.includes('the tokens of before hold'))).toBe(true);
  put(line('ana'));
  await until(async () => (await ana.describe()).attention.length === 0);
  rmSync(file);
  await until(async () => (await ana.describe()).attention.join().includes('cannot be read (ENOENT)'));
  expect(await ana.ask()).toBe('answered');
});

it('says aloud that others can read the file', async () => {
  put(line('ana'), 0o644);
  const { as, lines } = await started();
  expect((await as('ana').describe()).attention).toEqual([expect.stringContaining('can be read by others')]);
  expect(lines.join('')).toContain('others can read the token file');
});

it.each([
  ['no JSON', 'name: ana', 'line 1 is no object'],
  ['a list', '["ana"]', 'line 1 is no object'],
  [
    'an unknown field',
    '{"name":"ana","token":"hunter2","sha256":"","roles":[]}',
    'line 1 (ana) has unknown fields: token',
  ],
  ['no role', JSON.stringify({ name: 'ana', sha256: sha256('x'), roles: [] }), 'line 1 (ana) roles: is empty'],
  [
    'a name like a connection',
    JSON.stringify({ name: '127.0.0.1:5', sha256: sha256('x'), roles: ['admin'] }),
    'name: is not',
  ],
  ['a name that is taken', line('token'), 'name: is reserved'],
  [
    'a name twice',
    `${line('ana')}\n${tokenLine({ name: 'ana', sha256: sha256('y'), roles: ['admin'] })}`,
    'line 2 (ana) name: another',
  ],
  [
    'a token twice',
    `${line('ana')}\n${line('ana').replace('"ana"', '"ben"')}`,
    'line 2 (ben) sha256: another line has it',
  ],
])('refuses at a start a file with %s, by line and name', async (_, text, fault) => {
  put(text);
  const refused = await started().catch((error: LoopError) => error);
  expect(refused).toMatchObject({ code: 'TOKENS_INVALID', message: expect.stringContaining(fault) });
  expect((refused as LoopError).message).not.toContain('hunter2');
});

it('refuses a file that others may write, that is too large, or that is not there', () => {
  put(line('ana'), 0o602);
  expect(() => readTokens(file)).toThrow('others may write it');
  put(' '.repeat(1024 * 1024 + 1));
  expect(() => readTokens(file)).toThrow('is larger than');
  expect(() => readTokens(join(folder, 'none'))).toThrow('cannot be read (ENOENT)');
});

it('needs the token that services call each other with, in a cluster', () => {
  const given = { DRIFTLOOP_MODE: 'cluster', DRIFTLOOP_TOKENS_FILE: file };
  expect(() => readSettings(given)).toThrow(/DRIFTLOOP_TOKEN: is needed in cluster mode beside DRIFTLOOP_TOKENS_FILE/);
});
