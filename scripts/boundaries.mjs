// Who may import whom (docs: the table in docs/decisions/0001). Reads every import of every room's sources and fails on
// a breach, on an import that a room's package.json does not declare, and on a circle between rooms.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const services = ['labeling', 'feature-store', 'training', 'registry', 'serving', 'monitoring'];
const ground = ['contracts', 'bus', 'documents', 'objects', 'service'];

/** Rooms that a room may import, besides npm packages that it declares. */
const allowed = {
  algorithms: [],
  contracts: [],
  bus: ['contracts'],
  objects: ['contracts'],
  documents: ['contracts', 'bus'],
  onnx: ['contracts', 'algorithms'],
  service: ['contracts', 'bus', 'documents', 'objects'],
  client: ['contracts'],
  gateway: ['contracts', 'bus', 'documents', 'service'],
  cli: ['client'],
  console: ['client'],
  flights: ['client'],
  program: ['cli', 'client', 'contracts', 'service', 'embedded'],
  embedded: [...ground, ...services, 'gateway', 'client', 'flights', 'algorithms'],
  bench: [...ground, ...services, 'gateway', 'client', 'flights', 'algorithms', 'onnx', 'embedded'],
};
for (const service of services) allowed[service] = [...ground, 'algorithms', 'onnx'];

/** npm packages that a room may declare, where that is limited. */
const packagesOf = { algorithms: [], contracts: ['@bufbuild/protobuf', '@grpc/grpc-js', 'zod', 'yaml'] };

const rooms = ['libs', 'services', 'deploy', 'examples', '.']
  .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
  .filter((dir) => exists(join(dir, 'package.json')) && !dir.includes('node_modules'))
  .map((dir) => ({ dir, pkg: JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) }))
  .filter(({ pkg }) => pkg.name.startsWith('@driftloop/'));

const faults = [];
for (const { dir, pkg } of rooms) {
  const room = pkg.name.slice('@driftloop/'.length);
  const may = allowed[room];
  if (!may) faults.push(`${pkg.name}: a room that scripts/boundaries.mjs does not know`);
  for (const file of sources(dir)) for (const target of importsOf(file)) check(room, may ?? [], pkg, file, target);
}
if (faults.length) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`boundaries: ${rooms.length} rooms keep to theirs`);

function check(room, may, pkg, file, target) {
  const where = relative(root, file);
  if (target.startsWith('.')) {
    const reached = relative(join(root, relative(root, file).split('/src/')[0]), join(dirname(file), target));
    if (reached.startsWith('..') && !file.includes('/bench/'))
      faults.push(`${where}: ${target} reaches out of its room`);
    return;
  }
  const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : target.split('/')[0];
  if (name.startsWith('node:') || builtinModules.includes(name)) return;
  const test = /\.(spec|contract)\.ts$|\/testing\//.test(file) || where.includes('/testing');
  if (name.startsWith('@driftloop/')) {
    const other = name.slice('@driftloop/'.length);
    if (other !== room && !may.includes(other)) faults.push(`${where}: ${room} may not import ${other}`);
    if (target.endsWith('/testing') && !test && !file.endsWith('.fixture.ts') && room !== 'bench')
      faults.push(`${where}: ${target} is for specs and benchmarks alone`);
  } else if (packagesOf[room] && !test && !packagesOf[room].includes(name)) {
    faults.push(`${where}: ${room} may not use ${name}`);
  }
  const declared = { ...pkg.dependencies, ...pkg.devDependencies, ...pkg.peerDependencies };
  if (!test && !declared[name]) faults.push(`${where}: ${name} is not in ${room}'s package.json`);
}

function importsOf(file) {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const clause = '[^\'"`;=()]*?\\bfrom\\s+';
  const statement = new RegExp(`^(?:import\\s+(?:${clause})?|export\\s+${clause})['"]([^'"\\n]+)['"]`, 'gm');
  const statements = text.matchAll(statement);
  const dynamic = text.matchAll(/\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g);
  return [...statements, ...dynamic].map((match) => match[1]);
}

function sources(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return ['node_modules', 'dist', 'gen'].includes(entry.name) ? [] : sources(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [path] : [];
  });
}

function exists(path) {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
