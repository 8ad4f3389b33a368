// `npm run sbom [-- FILE]`: what ships, as a CycloneDX document, from the lock file: nothing is asked of a registry, and the same lock
// gives the same bytes (no time of making, and a serial number that follows from the lock). FILE is sbom.cdx.json where none is named.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from './install.mjs';

const lock = readFileSync(join(root, 'package-lock.json'));
const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--offline'];
const { status, stdout, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
if (status !== 0) {
  console.error(`sbom: npm could not make it: ${stderr.trim().split('\n').at(-1) || 'is npm 10 or later there?'}`);
  process.exit(1);
}
const { metadata, components, dependencies, ...rest } = JSON.parse(stdout);
// npm's own --omit dev leaves out what ships too, where it is also a development dependency of another workspace.
const ships = ({ properties }) => !properties.some(({ name }) => name === 'cdx:npm:package:development');
const shipped = components.filter(ships);
const known = new Set([metadata.component, ...shipped].map((component) => component['bom-ref']));
const { timestamp: _, component, ...about } = metadata;
const document = {
  ...rest,
  serialNumber: `urn:uuid:${uuidOf(lock)}`,
  // npm calls it by its folder.
  metadata: { ...about, component: { ...component, name: component.purl.replace(/^pkg:npm\/|@[^@]*$/g, '') } },
  components: shipped,
  dependencies: dependencies
    .filter(({ ref }) => known.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => known.has(one)) })),
};
const file = resolve(process.argv[2] ?? join(root, 'sbom.cdx.json'));
writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
console.log(`sbom: ${shipped.length} components in ${file}`);

/** A name-based UUID (version 8) of bytes. */
function uuidOf(bytes) {
  const hex = createHash('sha256').update(bytes).digest('hex');
  const variant = '89ab'[Number.parseInt(hex[16], 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
