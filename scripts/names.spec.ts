// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so a hole is written in the lock
/** Names are really held: sources that were changed, against the lock of those before. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import mongoose from 'mongoose';
import { namesInSources, publicExports, sourcesIn } from './names/collect.mjs';
import { advice, differences, locked, told, written } from './names/compare.mjs';
import { metricsOf, topicsOf } from './names/contracts.mjs';
import { collectionsOf, groupsOf } from './names/running.mjs';

const root = join(import.meta.dirname, '..');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'driftloop-names-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A package that decides. */
const files = {
  'package.json': JSON.stringify({ workspaces: ['services/*'] }),
  'services/gate/package.json': JSON.stringify({
    name: '@driftloop/gate',
    exports: { '.': { 'driftloop:source': './src/index.ts', default: './dist/index.js' }, './package.json': '.' },
  }),
  'services/gate/src/index.ts': `export * from './decide.js';\nexport { type Kept, keep } from './keep.js';\n`,
  'services/gate/src/decide.ts': `
    import { decision, demand } from 'elsewhere';
    /** What was found. */
    export interface Found { rows: number }
    export function decide(found: Found, limit: number, wanted: 'more' | 'less') {
      demand(limit > 0, 'a limit above 0');
      if (wanted === 'more') throw new Error('not yet');
      const reasons = [\`worse: \${found.rows} rows, above \${limit.toFixed(3)}\`];
      return decision({ kind: 'gate', outcome: found.rows > limit ? 'approved' : 'refused', reasons });
    }`,
  'services/gate/src/keep.ts': `
    import type { Connection } from 'elsewhere';
    import type { Step } from './step.js';
    export interface Kept { _id: string; steps: readonly Step[]; state: 'open' | 'closed' }
    const home = process.env.DRIFTLOOP_GATE_HOME;
    export const keep = (connection: Connection, model: string) =>
      connection.model<Kept>('Kept', {} as never, 'kept').findById(\`\${model}/kept/\${home}.json\`);`,
  'services/gate/src/step.ts': `export interface Step { name: string; at?: Date }`,
  'services/gate/src/decide.spec.ts': `it('is no product', () => 'at all');`,
};

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function names() {
  const tree = sourcesIn(folder);
  return { ...locked(namesInSources(tree)), ...publicExports(tree) };
}

/** What the change of a file changes in the lock. */
function changed(path: string, from: string | RegExp, to: string): string[] {
  const before = names();
  const text = readFileSync(join(folder, path), 'utf8');
  expect(text).toMatch(from);
  write(path, text.replaceAll(from, to));
  return differences(before, names());
}

describe('of sources', () => {
  beforeEach(() => {
    for (const [path, text] of Object.entries(files)) write(path, text);
  });

  it('holds what is decided, stored, read from the environment and exported', () => {
    expect(names()).toMatchObject({
      words: ['"approved"', '"gate"', '"kept"', '"refused"', '"worse: ${} rows, above ${.toFixed(3)}"']
        .concat(['"${}/kept/${}.json"', '"Kept"', '.toFixed(3)'])
        .sort(),
      fields: ['kind: gate', 'outcome: approved', 'outcome: refused'],
      stored: ['gate kept._id: string', 'gate kept.state: "closed" | "open"', 'gate kept.steps[].at?: Date'].concat([
        'gate kept.steps[].name: string',
      ]),
      keys: ['${}/kept/${}.json'],
      variables: ['DRIFTLOOP_GATE_HOME'],
      '@driftloop/gate .': ['decide', 'keep', 'type Found', 'type Kept'],
    });
  });

  const decide = 'services/gate/src/decide.ts';
  const keep = 'services/gate/src/keep.ts';
  it.each<[string, string, string | RegExp, string, string[]]>([
    [
      'a reason',
      decide,
      'worse: ',
      'poorer: ',
      ['  - words: "worse: ${} rows, above ${.toFixed(3)}"', '  + words: "poorer: ${} rows, above ${.toFixed(3)}"'],
    ],
    [
      'how a figure is written out',
      decide,
      'toFixed(3)',
      'toFixed(2)',
      [
        '  - words: "worse: ${} rows, above ${.toFixed(3)}"',
        '  - words: .toFixed(3)',
        '  + words: "worse: ${} rows, above ${.toFixed(2)}"',
        '  + words: .toFixed(2)',
      ],
    ],
    [
      'an outcome',
      decide,
      `'approved'`,
      `'passed'`,
      ['  - fields: outcome: approved', '  + fields: outcome: passed', '  - words: "approved"', '  + words: "passed"'],
    ],
    [
      'a field inside of a Mixed one',
      'services/gate/src/step.ts',
      'at?: Date',
      '',
      ['  - stored: gate kept.steps[].at?: Date'],
    ],
    [
      'a variable',
      keep,
      'GATE_HOME',
      'GATE_FOLDER',
      ['  - variables: DRIFTLOOP_GATE_HOME', '  + variables: DRIFTLOOP_GATE_FOLDER'],
    ],
    ['an export', 'services/gate/src/index.ts', 'type Kept, ', '', ['  - @driftloop/gate .: type Kept']],
  ])('names %s that is another', (_what, path, from, to, lines) => {
    expect(changed(path, from, to)).toEqual(lines);
  });

  it.each<[string, string, string | RegExp, string]>([
    ['a variable has another name', decide, /\blimit\b(?! above)/g, 'most'],
    ['what is thrown, demanded or compared is another', decide, /not yet|a limit above 0/g, 'no'],
    ['a spec says something else', 'services/gate/src/decide.spec.ts', 'at all', 'whatever'],
    ['a comment is another', decide, 'What was found', 'What came'],
  ])('leaves the lock alone where %s', (_what, path, from, to) => {
    expect(changed(path, from, to)).toEqual([]);
  });

  it('leaves the lock alone where a file is moved and a private type renamed', () => {
    const before = names();
    mkdirSync(join(folder, 'services/gate/src/records'));
    renameSync(join(folder, 'services/gate/src/step.ts'), join(folder, 'services/gate/src/records/moment.ts'));
    write('services/gate/src/records/moment.ts', files['services/gate/src/step.ts'].replace('Step', 'Moment'));
    const kept = files['services/gate/src/keep.ts'].replace("Step } from './step.js'", "Moment } from './moment.js'");
    write('services/gate/src/records/keep.ts', kept.replace('Step[]', 'Moment[]'));
    rmSync(join(folder, 'services/gate/src/keep.ts'));
    write('services/gate/src/index.ts', files['services/gate/src/index.ts'].replace('./keep.js', './records/keep.js'));
    expect(differences(before, names())).toEqual([]);
  });

  it('leaves out the words of a file that says so', () => {
    expect(changed(decide, /^\s+import/g, '/** Said. @freeWords */ import')).toContain('  - words: "gate"');
  });
});

it('names a group by its id, with its topics, and a replica as one of many', () => {
  const at = (group: string, topic: string) => ({ group, topic });
  const lags = [at('training.b', 'y'), at('training.b', 'x'), at('training.b', 'x'), at('serving.a.pod-7', 'x')];
  expect(groupsOf(lags, 'pod-7')).toEqual(['training.b: x, y', 'serving.a.<replica>: x']);
});

it('names a field of a collection, an index, and a metric that are gone', () => {
  const connection = mongoose.createConnection();
  const schema = new mongoose.Schema({ tenant: String, when: { by: [{ name: String }] } }).index({ tenant: 1 });
  connection.model('Thing', schema, 'things');
  expect(collectionsOf('gate', connection)).toEqual([
    'gate things.tenant: String',
    'gate things.when.by: document[]',
    'gate things.when.by[].name: String',
    'gate things.when.by[]._id: ObjectId',
    'gate things._id: ObjectId',
    'gate things.__v: Number',
    'gate things index {"tenant":1}',
  ]);
  const lag = { kind: 'gauge', unit: '{message}', labels: ['group', 'topic'] };
  expect(differences({ metrics: metricsOf({ lag }) }, { metrics: metricsOf({ behind: lag }) })).toEqual([
    '  - metrics: lag: gauge, {message}, labels group topic',
    '  + metrics: behind: gauge, {message}, labels group topic',
  ]);
});

it('shows what a key is made of', () => {
  const byModel = (payload: Record<string, string>) => `${payload.tenant}/${payload.model}`;
  const event = { topic: 'x.y', key: byModel, partitions: 2, keep: '7d', from: 'a', to: ['c', 'b'] };
  expect(topicsOf({ event })).toEqual(['x.y: key <tenant>/<model>, partitions 2, keep 7d, from a, to b c']);
});

it('says how a change is accepted, and writes a name a line', () => {
  const lines = ['  - metrics: a', '  + metrics: b'];
  expect(told('names.lock.json', lines)).toBe('names.lock.json: 1 gone, 1 new\n  - metrics: a\n  + metrics: b');
  expect(advice).toContain('npm run names -- --write');
  expect(written(locked({ words: ['b', 'a', 'b'] }))).toBe('{\n  "words": [\n    "a",\n    "b"\n  ]\n}\n');
});

it('holds this repository: the check names what the locks do not have, and nothing else', () => {
  for (const file of ['names.lock.json', 'exports.lock.json']) cpSync(join(root, file), join(folder, file));
  const alter = (file: string, change: (lock: Record<string, string[]>) => void) => {
    const lock = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    change(lock);
    write(file, JSON.stringify(lock));
  };
  alter('names.lock.json', ({ groups, metrics }) => {
    groups.push('training.when-hungry: labels.added');
    metrics.splice(
      metrics.findIndex((metric) => metric.startsWith('driftloop.consumer.lag:')),
      1,
    );
  });
  alter('exports.lock.json', (lock) => void lock['@driftloop/client .'].push('Oracle'));
  const args = ['--disable-warning=ExperimentalWarning', join(root, 'scripts/names.mjs'), '--check', '--in', folder];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr.match(/^ {2}[+-] .*$/gm)).toEqual([
    '  - groups: training.when-hungry: labels.added',
    expect.stringMatching(/^ {2}\+ metrics: driftloop\.consumer\.lag: gauge, \{message\}/),
    '  - @driftloop/client .: Oracle',
  ]);
  expect(stderr).toContain(advice);
  expect(status).toBe(1);
});
