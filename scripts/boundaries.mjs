// Who may import whom (the table of docs/decisions/0001). Reads every import of every workspace's sources and fails on a
// breach, on an import that a workspace's package.json does not declare, on product code that imports what only tests use, and on
// a circle of files, or of folders within a workspace, type-only imports counted: folders are floors.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, matchesGlob, relative } from 'node:path';
import { root } from './install.mjs';

const services = ['labeling', 'feature-store', 'training', 'registry', 'serving', 'monitoring'];
const ground = ['contracts', 'bus', 'documents', 'objects', 'service'];
const deployed = [...ground, ...services, 'gateway', 'client', 'flights', 'algorithms'];

/** Workspaces that a workspace may import, besides npm packages that it declares. */
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
  embedded: deployed,
  testing: ['contracts', 'service'],
  tests: [...deployed, 'onnx', 'cli', 'program', 'embedded', 'testing'],
  bench: [...deployed, 'onnx', 'embedded', 'testing'],
};
for (const service of services) allowed[service] = [...ground, 'algorithms', 'onnx'];

/** npm packages that a workspace may declare, where that is limited. */
const packagesOf = { algorithms: [], contracts: ['@bufbuild/protobuf', '@grpc/grpc-js', 'zod', 'yaml', 'leven'] };

/** What every spec has. */
const tools = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies;
/** Workspaces that no product has. */
const forTests = ['testing', 'tests', 'bench'];
/** What the compiler leaves out of every dist, from a workspace's root on. */
const { exclude } = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8'));
const leftOut = exclude.map((glob) => glob.replace(`\${configDir}/`, ''));
const isForTests = (inside) => leftOut.some((glob) => matchesGlob(inside, glob));

const workspaces = ['libs', 'services', 'deploy', 'examples', '.']
  .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
  .filter((dir) => exists(join(dir, 'package.json')) && !dir.includes('node_modules'))
  .map((dir) => ({ dir, pkg: JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) }))
  .filter(({ pkg }) => pkg.name.startsWith('@driftloop/'));

const faults = [];
for (const { dir, pkg } of workspaces) {
  const name = pkg.name.slice('@driftloop/'.length);
  if (!allowed[name]) faults.push(`${pkg.name}: a workspace that scripts/boundaries.mjs does not know`);
  for (const file of sources(dir)) for (const target of importsOf(file)) check({ name, dir, pkg }, file, target);
}
for (const { dir, pkg } of workspaces)
  for (const circle of circlesOf(dir, pkg.name.slice('@driftloop/'.length)))
    faults.push(`a circle of imports: ${circle}`);
if (faults.length) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`boundaries: ${workspaces.length} workspaces keep to theirs`);

function check(workspace, file, target) {
  const test = forTests.includes(workspace.name) || isForTests(relative(workspace.dir, file));
  if (target.startsWith('.')) checkPath(workspace, file, target, test);
  else checkPackage(workspace, file, target, test);
}

function checkPath({ name, dir }, file, target, test) {
  const reached = relative(dir, join(dirname(file), target.replace(/\.js$/, '.ts')));
  if (reached.startsWith('..') && name !== 'bench') faults.push(`${of(file)}: ${target} reaches out of its workspace`);
  if (!test && isForTests(reached)) faults.push(`${of(file)}: ${target} is for tests alone`);
}

function checkPackage({ name, pkg }, file, target, test) {
  const library = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : target.split('/')[0];
  if (library.startsWith('node:') || builtinModules.includes(library)) return;
  if (library.startsWith('@driftloop/')) checkWorkspace(name, file, library.slice('@driftloop/'.length), test);
  else if (packagesOf[name] && !test && !packagesOf[name].includes(library))
    faults.push(`${of(file)}: ${name} may not use ${library}`);
  const shipped = { ...pkg.dependencies, ...pkg.peerDependencies, ...(test && { ...pkg.devDependencies, ...tools }) };
  if (!shipped[library]) faults.push(`${of(file)}: ${library} is not in ${name}'s package.json`);
}

function checkWorkspace(name, file, other, test) {
  if (other === name) return;
  if (!test && forTests.includes(other)) faults.push(`${of(file)}: ${other} is for tests alone`);
  else if (!(allowed[name] ?? []).includes(other) && !(test && other === 'testing'))
    faults.push(`${of(file)}: ${name} may not import ${other}`);
}

/** Files, and folders, of a workspace that import each other, directly or through others; each group once, as text. */
function circlesOf(dir) {
  const graph = new Map(
    sources(dir).map((file) => {
      const reached = importsOf(file).filter((target) => target.startsWith('.'));
      return [file, reached.map((target) => join(dirname(file), target.replace(/\.js$/, '.ts')))];
    }),
  );
  return [...circlesIn(graph), ...circlesIn(floorsOf(dir, graph))];
}

/** Folders of what ships, by the folders that they import. At the top of `src` each file is a floor of its own: a port, the module. */
function floorsOf(dir, graph) {
  const top = join(dir, 'src');
  const floorOf = (file) => (dirname(file) === top ? file : dirname(file));
  const floors = new Map();
  for (const [file, targets] of graph) {
    if (isForTests(relative(dir, file))) continue;
    const above = floorOf(file);
    const below = targets.map(floorOf).filter((floor) => floor !== above);
    floors.set(above, [...(floors.get(above) ?? []), ...below]);
  }
  return floors;
}

function circlesIn(graph) {
  const behind = new Map([...graph.keys()].map((one) => [one, reachedFrom(one, graph)]));
  const circles = [...graph.keys()].filter((one) => behind.get(one).has(one));
  const groups = circles.map((one) =>
    circles.filter((other) => behind.get(one).has(other) && behind.get(other).has(one)),
  );
  return [...new Set(groups.map((group) => group.map(of).sort().join(', ')))];
}

function reachedFrom(file, graph) {
  const reached = new Set();
  const next = [...(graph.get(file) ?? [])];
  for (let one = next.pop(); one; one = next.pop()) {
    if (reached.has(one)) continue;
    reached.add(one);
    next.push(...(graph.get(one) ?? []));
  }
  return reached;
}

function of(file) {
  return relative(root, file);
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
