/**
 * Writes what is generated from the contracts: the protobuf code and file descriptors (from proto/), the JSON Schema
 * of the ModelSpec for editors (from its zod schema), the README's picture of who tells whom (from the event map), the
 * AsyncAPI document for product teams (from the event map and proto/), and the page of all errors (from their catalogues).
 * `--check` compares with what is there, and exits 1 when it differs.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');
const gen = 'libs/contracts/src/gen';
/** Health is served beside our services, so reflection describes it too. */
const health = 'node_modules/grpc-health-check/proto';
const schema = 'libs/contracts/model-spec.schema.json';
const asyncApi = 'docs/asyncapi.yaml';
const errors = 'docs/errors.md';

const check = process.argv.includes('--check');
const fresh = mkdtempSync(join(tmpdir(), 'driftloop-generate-'));
try {
  const stale = [
    ...settle(protobuf),
    ...settle(jsonSchema),
    ...settle(picture),
    ...settle(topics),
    ...settle(errorsPage),
  ];
  if (check && stale.length > 0) {
    console.error('run `npm run generate` and commit the result');
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** Generates into the fresh folder, and puts what differs in its place, or only names it. */
function settle(generate) {
  const stale = differences(generate());
  for (const path of stale) {
    console.log(check ? `not up to date: ${path}` : `written or removed: ${path}`);
    if (!check) place(path);
  }
  return stale;
}

/** The code and the descriptors; returns every path that is generated or lies where only generated files may. */
function protobuf() {
  run('buf', ['generate', '-o', fresh]);
  for (const path of below(fresh).filter((path) => path.endsWith('.ts'))) {
    mapsWithoutPrototype(join(fresh, path));
    strictScalars(path);
  }
  write(join(fresh, gen, 'descriptors.ts'), descriptors(Buffer.concat([image('proto'), image(health)])));
  return [...new Set([...below(fresh), ...below(root)])].sort();
}

/** A map's keys are its sender's: what holds them inherits nothing, and takes "__proto__" for a key (docs/decisions/0025). */
function mapsWithoutPrototype(path) {
  const none = 'globalThis.Object.create(null)';
  const text = readFileSync(path, 'utf8')
    .replace(/^( {2}return \{.*)$/gm, (line) => line.replaceAll(/(\w+): \{\}/g, `$1: ${none}`))
    .replace(/^( {4}\w+): \{\},$/gm, `$1: ${none},`)
    .replace(/^( +obj\.\w+ =) \{\};$/gm, `$1 ${none};`)
    .replace(/^( +: |) *\{\},$/gm, (line) => line.replace('{}', none));
  writeFileSync(path, text);
}

/** What JSON from outside has for a number or a time is read by the grammar that every other text is read by. */
function strictScalars(path) {
  const text = readFileSync(join(fresh, path), 'utf8');
  const strict = text
    .replaceAll(/globalThis\.Number\(object\.(\w+)\)/g, 'numberOfJson(object.$1, "$1")')
    .replaceAll('return new globalThis.Date(o);', 'return timeOfJson(o);');
  const used = ['numberOfJson', 'timeOfJson'].filter((name) => strict.includes(`${name}(`));
  if (!used.length) return;
  const from = relative(dirname(path), 'libs/contracts/src/json-scalars.js');
  const line = `import { ${used.join(', ')} } from "${from}";\n`;
  writeFileSync(
    join(fresh, path),
    strict.replace(/^import /m, () => `${line}import `),
  );
}

/** A FileDescriptorSet of the .proto files of a folder; two in a row are one of all their files. */
function image(folder) {
  const path = join(fresh, 'image.binpb');
  run('buf', ['build', folder, '--exclude-source-info', '-o', path]);
  return readFileSync(path);
}

/** Comes after the code, which the contracts are built with. */
function jsonSchema() {
  run('tsc', ['-b', 'libs/contracts']);
  write(join(fresh, schema), modelSpecSchema());
  return [schema];
}

/** The README with its picture, between the two markers. */
function picture() {
  const readme = 'README.md';
  const begin = '<!-- picture: generated from libs/contracts/src/events.ts -->';
  const end = '<!-- end of picture -->';
  const text = read(join(root, readme)) ?? '';
  const [before, rest] = text.split(begin);
  if (rest === undefined) return [];
  const built = pathToFileURL(join(root, 'libs/contracts/dist/index.js'));
  const source = `
    import { events } from '${built}';
    const arrows = new Map();
    for (const { topic, from, to } of Object.values(events))
      for (const listener of to.length > 1 ? to.filter((name) => name !== 'external') : to) {
        const key = from + ' ' + listener;
        arrows.set(key, [...(arrows.get(key) ?? []), topic]);
      }
    const name = (room) => room.replaceAll('-', '_') + '[' + (room === 'external' ? 'product teams' : room) + ']';
    const lines = [...arrows].map(([key, topics]) => {
      const [from, to] = key.split(' ');
      return '  ' + name(from) + ' -- "' + topics.join('<br>') + '" --> ' + name(to);
    });
    process.stdout.write(['flowchart LR', ...lines].join('\\n'));`;
  const drawn = execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
  const after = rest.slice(rest.indexOf(end));
  write(join(fresh, readme), `${before}${begin}\n\`\`\`mermaid\n${drawn}\n\`\`\`\n${after}`);
  return [readme];
}

/** The AsyncAPI document, with what the .proto files say in comments. */
function topics() {
  const commented = join(fresh, 'commented.binpb');
  run('buf', ['build', 'proto', '-o', commented]);
  const built = pathToFileURL(join(root, 'libs/contracts/dist/asyncapi/document.js'));
  const { version } = JSON.parse(read(join(root, 'package.json')));
  const source = `
    import { readFileSync } from 'node:fs';
    import { asyncApiYaml } from '${built}';
    process.stdout.write(asyncApiYaml(readFileSync(${JSON.stringify(commented)}), '${version}'));`;
  write(
    join(fresh, asyncApi),
    execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' }),
  );
  return [asyncApi];
}

/** Printed by a script of its own, from the sources: only the contracts were built. */
function errorsPage() {
  const args = ['--disable-warning=ExperimentalWarning', '--import', './scripts/source.mjs', 'scripts/errors-page.mjs'];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) process.exit(1);
  write(join(fresh, errors), stdout);
  return [errors];
}

/** The files of a FileDescriptorSet (`repeated FileDescriptorProto file = 1`), each in base64. */
function descriptors(set) {
  const files = [];
  for (let at = 0; at < set.length; ) {
    const tag = varint(set, at);
    const size = varint(set, tag.next);
    if (tag.value !== 10) throw new Error(`field tag ${tag.value} in a FileDescriptorSet`);
    files.push(set.subarray(size.next, size.next + size.value).toString('base64'));
    at = size.next + size.value;
  }
  const lines = files.map((file) => `  '${file}',\n`).join('');
  return `// Generated by scripts/generate.mjs. DO NOT EDIT.\n\n/** Each proto file as a FileDescriptorProto in base64, for server reflection. */\nexport const fileDescriptors: readonly string[] = [\n${lines}];\n`;
}

function varint(bytes, from) {
  let value = 0;
  for (let at = from, scale = 1; ; at++, scale *= 128) {
    value += (bytes[at] & 127) * scale;
    if (bytes[at] < 128) return { value, next: at + 1 };
  }
}

/** Asked of another process: the contracts were built just now. */
function modelSpecSchema() {
  const built = pathToFileURL(join(root, 'libs/contracts/dist/index.js'));
  const zod = pathToFileURL(join(root, 'node_modules/zod/index.js'));
  const source = `
    import { modelSpecSchema } from '${built}';
    import { z } from '${zod}';
    const schema = z.toJSONSchema(modelSpecSchema, { io: 'input' });
    process.stdout.write(JSON.stringify({ title: 'ModelSpec', ...schema }, null, 2) + '\\n');`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
}

/** Of these paths, those that differ, are missing, or are there though nothing generates them. */
function differences(paths) {
  return paths.filter((path) => read(join(fresh, path)) !== read(join(root, path)));
}

function place(path) {
  const content = read(join(fresh, path));
  if (content === undefined) rmSync(join(root, path));
  else write(join(root, path), content);
}

function below(where) {
  const folder = join(where, gen);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((file) => join(gen, relative(folder, join(file.parentPath ?? file.path, file.name))));
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function run(command, args) {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  execFileSync(join(bin, command), args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
}
