/** The command line where no house runs: what it explains, what it refuses, and its exit codes. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runToEnd } from '@driftloop/testing/running';
import type { Command } from 'commander';
import { driftloop as program } from './index.js';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const nowhere = { DRIFTLOOP_URL: 'http://127.0.0.1:9', DRIFTLOOP_SERVING_ADDRESS: '127.0.0.1:9' };

const driftloop = (...args: string[]) => runToEnd(main, args, nowhere, { timeoutMs: 20_000 });

const commands = [
  ...[
    'status',
    'cycles',
    'cycle',
    'drift',
    'ledger',
    'apply',
    'predict',
    'promote',
    'rollback',
    'events tail',
    'trace',
  ],
  ...[
    'explain',
    'services',
    'dead',
    'replay',
    'discard',
    'pause',
    'resume',
    'freeze',
    'thaw',
    'migrate',
    'token',
    'audit',
  ],
];

/** Every command that does something, with its whole name. */
function commandsIn(command: Command, name = ''): [string, Command][] {
  return command.commands.flatMap((one) => {
    const whole = `${name} ${one.name()}`.trim();
    return one.commands.length ? commandsIn(one, whole) : [[whole, one] as [string, Command]];
  });
}

it('lists every command', async () => {
  const { code, stdout } = await driftloop('--help');
  expect(code).toBe(0);
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command.split(' ')[0]} `, 'm'));
});

it('lists every variable that its commands read', async () => {
  const { stdout } = await driftloop('--help');
  const sources = ['services/cli/src', 'deploy/program/src'].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  );
  const read = new Set(sources.flatMap((text) => text.match(/\bDRIFTLOOP_[A-Z_]+[A-Z]\b/g) ?? []));
  expect(read.size).toBeGreaterThan(5);
  for (const variable of read) expect(stdout).toMatch(new RegExp(`\\b${variable}\\b`));
});

it('says its version, as the package has it', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const flag of ['--version', '-V'])
    expect(await driftloop(flag)).toEqual({ code: 0, stderr: '', stdout: `${version}\n` });
});

it('explains every command, each with --json', () => {
  const all = commandsIn(program({}));
  expect(all.map(([name]) => name)).toEqual(expect.arrayContaining(commands));
  for (const [name, command] of all) {
    const help = command.helpInformation();
    expect(help).toMatch(new RegExp(`^Usage: driftloop ${name} `));
    expect(help).toMatch(/--json +(as JSON|the report as JSON|one JSON object a line)/);
  }
});

it('ends with 0 where a command is to be explained', async () => {
  const found = await driftloop('events', 'tail', '--help');
  expect(found).toEqual({ code: 0, stderr: '', stdout: expect.stringMatching(/^Usage: driftloop events tail /) });
});

it.each([
  [['nonsense'], /unknown command 'nonsense'/],
  [['status', '--modle', 'x'], /unknown option '--modle'[\s\S]*--help/],
  [['cycle'], /missing required argument 'id'/],
  [['drift', '--limit', '0'], /--limit <n>' argument '0' is invalid\. Write a whole number from 1 to 1000/],
  [['drift', '--limit', '1e2'], /Write a whole number from 1 to 1000/],
  [['ledger', '--since'], /option '--since <time>' argument missing/],
  [['discard', 'training.x'], /name the events to discard, or --all/],
  [['discard', 'training.x', 'e1', '--all'], /name the events to discard, or --all/],
  [['apply'], /required option '-f, --file <file>'/],
  [[], /Usage: driftloop/],
])('ends with 2 when called with %j, and says how to call it', async (args, message) => {
  expect(await driftloop(...args)).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
});

it.each([
  [['status'], 'no gateway at http://127.0.0.1:9'],
  [['events', 'tail'], 'no gateway at http://127.0.0.1:9'],
  [['predict', '-m', 'm', '-e', 'x'], 'nothing answers at 127.0.0.1:9'],
])('ends with 1 when nobody answers %j, and says where', async (args, message) => {
  const { code, stdout, stderr } = await driftloop(...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(new RegExp(`^UNREACHABLE: ${message} \\(.*\\); is Driftloop running\\?\\n$`));
});

it('ends with 1 when what answers is not Driftloop', async () => {
  const server = createServer((_, response) => response.end('<html>hello</html>'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, stderr } = await driftloop('--url', url, 'status');
  server.close();
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `NOT_DRIFTLOOP: ${url} does not answer as Driftloop's gateway does\n`,
  });
});
