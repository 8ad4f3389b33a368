/** Every program says which Node it needs before it loads what an older one lacks. */
import { readdirSync, readFileSync } from 'node:fs';
import { refusalOf } from './node-version.js';

const programs = [
  ...readdirSync('services')
    .map((name) => `services/${name}/src/main.ts`)
    .filter((path) => !path.includes('/cli/')),
  'deploy/embedded/src/main.ts',
  'deploy/program/src/main.ts',
];

it.each(programs)('%s imports nothing else until the Node is known to be new enough', (path) => {
  const imports = readFileSync(path, 'utf8').matchAll(/^(?:import|export)\b.*'(.*)';$/gm);
  expect([...imports].map(([, from]) => from)).toEqual(['@driftloop/service/node-version']);
});

it('what says so imports nothing itself', () => {
  expect(readFileSync('libs/service/src/node-version.ts', 'utf8')).not.toMatch(/^import|\bimport\(['"]/m);
});

it('an old Node is told which it is, which is needed, and how to run that', () => {
  for (const version of ['18.20.4', '20.20.2', '22.23.0'])
    expect(refusalOf(version, 'services/registry/dist/main.js')).toBe(
      `driftloop needs Node 24 or later, and this is Node ${version}: run \`npx node services/registry/dist/main.js\`, which is the Node that was installed with it`,
    );
  for (const version of ['24.0.0', '25.1.0', process.versions.node]) expect(refusalOf(version, 'x')).toBeUndefined();
});
