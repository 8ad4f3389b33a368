// `npm run pin-images [-- FOLDER]`: writes the digest behind the tag of every image that a compose file, or a Dockerfile's argument, names, as
// the image's registry gives it now. None is written that was not read there. Lists what stays unpinned, with the reason;
// `--check` reads nothing and exits 1 where there is any.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from './install.mjs';

const patienceMs = 10_000;
const manifests = [
  'oci.image.index.v1',
  'docker.distribution.manifest.list.v2',
  'oci.image.manifest.v1',
  'docker.distribution.manifest.v2',
];
const accept = manifests.map((kind) => `application/vnd.${kind}+json`).join(', ');

const given = process.argv.slice(2);
const check = given.includes('--check');
const folder = resolve(given.find((arg) => !arg.startsWith('-')) ?? root);
const unpinned = [];
for (const file of ['docker-compose.yml', 'Dockerfile']) {
  const path = join(folder, file);
  if (!existsSync(path)) continue;
  const text = readFileSync(path, 'utf8');
  const pinned = await pin(file, text);
  if (pinned !== text) writeFileSync(path, pinned);
}
for (const line of unpinned) console.log(line);
console.log(`pin-images: ${unpinned.length || 'none'} unpinned`);
if (check && unpinned.length) process.exitCode = 1;

/** A file's text with every digest that could be read. */
async function pin(file, text) {
  let pinned = text;
  for (const image of imagesIn(file, text)) {
    const digest = check
      ? { fault: 'no digest' }
      : await digestOf(image).catch((error) => ({ fault: reasonOf(error) }));
    if (typeof digest !== 'string') unpinned.push(`unpinned: ${image} in ${file}: ${digest.fault}`);
    else {
      pinned = pinned.replaceAll(
        new RegExp(`${image.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?=\\s|$)`, 'gm'),
        `${image}@${digest}`,
      );
      console.log(`pinned: ${image}@${digest}`);
    }
  }
  return pinned;
}

/** Images of others without a digest, each once: what is built here has none. */
function imagesIn(file, text) {
  const named = file === 'Dockerfile' ? /^ARG \w+=(\S+:\S+)$/gm : /^ +image: *["']?([^\s"'#]+)/gm;
  const images = [...text.matchAll(named)].map(([, image]) => image);
  return [...new Set(images)].filter((image) => !image.includes('@') && !/^driftloop:/.test(image));
}

/** What the registry holds under the tag: the SHA-256 of the manifest that it gives. */
async function digestOf(image) {
  const { origin, repository, tag } = placeOf(image);
  const url = `${origin}/v2/${repository}/manifests/${tag}`;
  let reply = await ask(url, { accept });
  if (reply.status === 401) reply = await ask(url, { accept, authorization: await permission(reply) });
  if (!reply.ok) return { fault: `its registry says ${reply.status}` };
  const digest = `sha256:${createHash('sha256')
    .update(Buffer.from(await reply.arrayBuffer()))
    .digest('hex')}`;
  const said = reply.headers.get('docker-content-digest') ?? digest;
  return said === digest ? digest : { fault: 'its registry names another digest than its manifest has' };
}

/** Docker's own rules: without a host it is Docker Hub, whose first floor is "library". */
function placeOf(image) {
  const [, name, tag = 'latest'] = image.match(/^(.+?)(?::([\w.-]+))?$/);
  const [first, ...rest] = name.split('/');
  if (!rest.length || !/[.:]|^localhost$/.test(first))
    return { origin: 'https://registry-1.docker.io', repository: rest.length ? name : `library/${name}`, tag };
  const loopback = /^(localhost|127\.0\.0\.1)(:|$)/.test(first);
  return { origin: `${loopback ? 'http' : 'https'}://${first}`, repository: rest.join('/'), tag };
}

/** Anybody's token for reading, from where the registry says. */
async function permission(reply) {
  const said = reply.headers.get('www-authenticate') ?? '';
  const { realm, ...rest } = Object.fromEntries(
    [...said.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  );
  if (!realm) throw new Error('its registry wants a credential');
  const answer = await ask(`${realm}?${new URLSearchParams(rest)}`, {});
  const { token, access_token = token } = await answer.json();
  return `Bearer ${access_token}`;
}

function ask(url, headers) {
  return fetch(url, { headers, signal: AbortSignal.timeout(patienceMs) });
}

function reasonOf(error) {
  return `its registry does not answer (${(error.cause ?? error).code ?? error.name})`;
}
