/**
 * Records a home of a release, killed with its loop in flight, for the specs of all later ones:
 *
 *   npx node scripts/record-home.mjs NAME POINT NTH [--from CHECKOUT]   →   tests/src/homes/NAME.tar.br, NAME.json
 *
 * The code of CHECKOUT (built; this one by default) plays the small world of `npm run crash` three times: in quiet; until it
 * is killed, as kill -9 does, at the NTH passage of POINT (`npm run crash` names points), which leaves the home that is
 * recorded; and on from there to the end. Both ends must be equal: they are what a later release has to come to.
 *
 *   npx node scripts/record-home.mjs --expect NAME
 *
 * Where a change moves the ledger on purpose: goes on from the recorded home with this code, and expects that from now on.
 *
 * I1  A home that is recorded is never changed: a name that is taken is refused.
 * I2  A home's own secret is not recorded: whoever opens it makes another.
 * I3  The log beside the file repeats its pages megabytes later: brotli's window reaches so far, gzip's does not.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { root } from './install.mjs';

const options = { from: { type: 'string' }, expect: { type: 'string' } };
const { values, positionals } = parseArgs({ allowPositionals: true, options });
const [name = values.expect, point, nth] = positionals;
if (!name || (!values.expect && !(point && Number(nth) > 0))) {
  console.error('usage: node scripts/record-home.mjs NAME POINT NTH [--from CHECKOUT] | --expect NAME');
  process.exit(2);
}
const from = resolve(values.from ?? root);
const target = (ending) => join(root, 'tests/src/homes', `${name}.${ending}`);

const crash = (file) => join(from, 'tests/dist/crash', file);
const load = (path) => import(pathToFileURL(path));
const { pointNames } = await load(crash('points.js'));
const { watchingVariable } = await load(crash('watching.js'));
const { differenceOf } = await load(crash('difference.js'));
const { expectedOf } = await load(join(root, 'tests/dist/homes/expected.js'));

const work = mkdtempSync(join(tmpdir(), 'driftloop-record-'));
try {
  await (values.expect ? expectAnew() : record());
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function record() {
  if (existsSync(target('json'))) throw new Error(`${target('json')} is there: what is recorded is never changed`); // I1
  const quiet = await played(join(work, 'quiet'));
  const home = join(work, 'killed');
  const how = await life(home, { point, nth: Number(nth) });
  if (how !== 'SIGKILL') throw new Error(`${point} was not passed ${nth} times: the run ended with ${how}`);
  const tar = execFileSync('tar', ['-cf', '-', '--exclude=replay.token', '-C', home, '.'], { maxBuffer: 2 ** 28 }); // I2
  const difference = differenceOf(quiet, await played(home));
  if (difference) throw new Error(`killed and gone on it comes to another end: ${difference}`);
  const archive = brotliCompressSync(tar, { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } }); // I3
  writeFileSync(target('tar.br'), archive);
  write({ ...origin(), expected: expectedOf(quiet) });
  console.log(`${name}: ${archive.length} bytes, ledger ${quiet.ledgerSha256}`);
}

async function expectAnew() {
  const home = join(work, 'home');
  mkdirSync(home);
  execFileSync('tar', ['-xf', '-', '-C', home], { input: brotliDecompressSync(readFileSync(target('tar.br'))) });
  const outcome = await played(home);
  write({
    ...JSON.parse(readFileSync(target('json'), 'utf8')),
    expectedBy: origin().commit,
    expected: expectedOf(outcome),
  });
  console.log(`${name}: ledger ${outcome.ledgerSha256}`);
}

function write(recorded) {
  writeFileSync(target('json'), `${JSON.stringify(recorded, null, 2)}\n`);
}

function origin() {
  const commit = execFileSync('git', ['-C', from, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const { version } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
  const machine = `${process.platform} ${process.arch}`;
  const how = `the world of npm run crash, killed (kill -9) at passage ${nth} of ${point}`;
  return { commit, version, node: process.version, machine, how };
}

/** The outcome of a life that comes to its end. */
async function played(home) {
  const how = await life(home);
  if (how !== 0) throw new Error(`the run on ${home} ended with ${how}`);
  return JSON.parse(readFileSync(`${home}.json`, 'utf8'));
}

/** One process on a home, to its end or its death; resolves to its exit code or signal. */
function life(home, die) {
  const watching = { channels: pointNames, counts: `${home}.counts`, die };
  const flags = ['--disable-warning=ExperimentalWarning', '--import', crash('watch.js')];
  const child = spawn(
    process.execPath,
    [...flags, crash('subject.js'), home, pathToFileURL(crash('world.js')), `${home}.json`],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { PATH: process.env.PATH, MALLOC_ARENA_MAX: '2', [watchingVariable]: JSON.stringify(watching) },
    },
  );
  return new Promise((done) => child.on('close', (code, signal) => done(code ?? signal)));
}
