/** Breaking changes of the contracts are really refused: mutated copies of proto/ against the last release. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
let copy: string;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'driftloop-proto-'));
  for (const part of ['buf.yaml', 'proto']) cpSync(join(root, part), join(copy, part), { recursive: true });
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

/** Changes events.proto in the copy, and holds it against the last release. */
function held(change: (proto: string) => string) {
  const file = join(copy, 'proto/driftloop/v1/events.proto');
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  expect(after === before && change !== same).toBe(false);
  writeFileSync(file, after);
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'scripts/breaking.mjs'), '--in', copy], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return { status, stdout };
}
const same = (proto: string) => proto;

it('the contracts as they are break nothing', () => {
  expect(held(same)).toMatchObject({ status: 0, stdout: expect.stringMatching(/nothing of release \S+ is broken/) });
});

it('a further field, message or enum value breaks nothing', () => {
  const grown = held((proto) =>
    proto
      .replace('message ModelPromoted {', 'message ModelCrowned {}\nmessage ModelPromoted {\n  string colour = 99;')
      .replace('VERDICT_ROLL_BACK = 3;', 'VERDICT_ROLL_BACK = 3;\n  VERDICT_WAIT = 4;'),
  );
  expect(grown.status).toBe(0);
});

it.each<[string, (proto: string) => string, RegExp]>([
  ["another type (the wire's)", (p) => p.replace('int64 dropped = 7', 'string dropped = 7'), /"7".*"dropped".*type/],
  ["another name (JSON's)", (p) => p.replace('string replica = 6', 'string pod = 6'), /json_name|JSON name/i],
  ['another number', (p) => p.replace('int64 dropped = 7', 'int64 dropped = 8'), /"7".*deleted/],
  ['a field that is gone', (p) => p.replace(/.*int64 dropped = 7;\n/, ''), /"7".*"dropped".*deleted/],
  [
    'a message that is gone',
    (p) => p.replace(/message ShadowScore \{[^}]*\}/, '').replace(/.*ShadowScore .*/, ''),
    /"ShadowScore".*deleted/,
  ],
  ['an enum value that is gone', (p) => p.replace(/.*ARM_CANARY = 2;\n/, ''), /"2".*deleted/],
])('%s is refused', (_what, change, says) => {
  const { status, stdout } = held(change);
  expect(status).toBe(1);
  expect(stdout).toMatch(says);
});
