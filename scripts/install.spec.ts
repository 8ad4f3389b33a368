/** What is missing of an install is found before anything of it is loaded, and said in one sentence where it cannot be mended. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const script = pathToFileURL('scripts/install.mjs').href;
let folder: string;

const put = (path: string, text = '{}') => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};

/** A lock file's packages, with an npm that does what a shell script says. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'driftloop-install-'));
  const packages = {
    '': {},
    'libs/a': {},
    'node_modules/@driftloop/a': { link: true },
    'node_modules/here': {},
    'node_modules/elsewhere': { optional: true },
    'libs/a/node_modules/nested': {},
  };
  put('package-lock.json', JSON.stringify({ packages }));
  for (const path of ['node_modules/here', 'libs/a/node_modules/nested']) put(`${path}/package.json`);
  put('node_modules/.bin/node');
  put('node_modules/.driftloop-installed');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function install(npm: string) {
  put('bin/npm', `#!/bin/sh\necho "$1" >> ${folder}/called\n${npm}\n`);
  chmodSync(join(folder, 'bin/npm'), 0o755);
  const source = `import { install } from '${script}'; install(${JSON.stringify(folder)}); console.log('on');`;
  const env = { ...process.env, PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}` };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

it('a whole install is left alone; packages for other machines may lack', () => {
  expect(install('exit 1')).toEqual({ status: 0, stdout: 'on\n', stderr: '' });
});

it.each(['node_modules/here', 'libs/a/node_modules/nested', 'node_modules/.bin/node'])(
  'an install that lacks %s is made whole, with what npm remembers of it forgotten',
  (path) => {
    put('node_modules/.package-lock.json');
    rmSync(join(folder, path), { recursive: true });
    const file = path.includes('.bin') ? path : `${path}/package.json`;
    const mend = `test ! -e ${folder}/node_modules/.package-lock.json && mkdir -p ${dirname(join(folder, file))} && echo {} > ${folder}/${file}`;
    expect(install(mend)).toEqual({
      status: 0,
      stdout: 'on\n',
      stderr: `driftloop: installing dependencies again: ${path} is missing …\n`,
    });
    expect(readFileSync(join(folder, 'called'), 'utf8')).toBe('install\nrebuild\n');
  },
);

it.each([
  [
    'npm fails',
    'echo no registry >&2; exit 1',
    /no registry\ndriftloop: npm could not install them .* nothing was run: .*\n$/,
  ],
  [
    'npm mends nothing',
    'exit 0',
    /\ndriftloop: npm has installed, but still node_modules\/here is missing, and nothing was run: .*\n$/,
  ],
])('one sentence ends it where %s, and no stack', (_, npm, message) => {
  rmSync(join(folder, 'node_modules/here'), { recursive: true });
  const { status, stdout, stderr } = install(npm);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ {4}at /m);
});
