/** What is said of what ships: a bill that follows from the lock alone, digests that were read from a registry, audits that are skipped by name. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'driftloop-supply-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  status: number;
  output: string;
}
/** A script to its end, while this process serves what it asks. */
const run = (script: string, args: string[] = [], env: NodeJS.ProcessEnv = {}) =>
  new Promise<Ran>((resolve) => {
    execFile(
      process.execPath,
      [`scripts/${script}.mjs`, ...args],
      { env: { ...process.env, NODE_OPTIONS: '', ...env } },
      (error, out, err) => resolve({ status: typeof error?.code === 'number' ? error.code : 0, output: out + err }),
    );
  });

describe('npm run sbom', () => {
  it('has every package that ships, without a registry, and the same bytes from the same lock', async () => {
    const files = ['a.json', 'b.json'].map((name) => join(folder, name));
    for (const file of files)
      expect(await run('sbom', [file], { npm_config_registry: 'http://127.0.0.1:9' })).toMatchObject({ status: 0 });
    const [first, second] = files.map((file) => readFileSync(file, 'utf8'));
    expect(second).toBe(first);
    const { bomFormat, metadata, components } = JSON.parse(first);
    const names = components.map(({ purl }: { purl: string }) => decodeURIComponent(purl));
    expect({ bomFormat, name: metadata.component.name }).toEqual({ bomFormat: 'CycloneDX', name: 'driftloop' });
    for (const shipped of ['@grpc/grpc-js@', 'zod@', 'leven@3.1.0'])
      expect(names.some((name: string) => name.startsWith(`pkg:npm/${shipped}`))).toBe(true);
    expect(names.some((name: string) => name.startsWith('pkg:npm/jest@'))).toBe(false);
  });
});

describe('npm run audit', () => {
  const audited = async (reply: string) => {
    writeFileSync(join(folder, 'npm'), `#!/bin/sh\ncat <<'END'\n${reply}\nEND\n`);
    chmodSync(join(folder, 'npm'), 0o755);
    return run('audit', [], { PATH: `${folder}${delimiter}${process.env.PATH}` });
  };
  const finding = (severity: string) =>
    JSON.stringify({
      auditReportVersion: 2,
      vulnerabilities: {
        x: { name: 'x', severity, range: '<2', fixAvailable: true, via: [{ title: 'it reads too much' }] },
      },
    });

  it('is skipped by name where the registry answers none', async () => {
    const { status, output } = await audited('{"message":"405 Method Not Allowed - POST https://r.example/-/npm"}');
    expect({ status, output }).toEqual({
      status: 0,
      output: 'audit: skipped: the registry answers no audit (405 Method Not Allowed); nothing is known either way\n',
    });
  });

  it('names what is vulnerable, and fails where that is high or critical', async () => {
    expect(await audited(finding('low'))).toMatchObject({ status: 0 });
    const { status, output } = await audited(finding('critical'));
    expect(status).toBe(1);
    expect(output).toMatch(
      /^critical: x <2: it reads too much \(a fix is there.*\naudit: 1 of .*1 of them high or critical\n$/,
    );
  });
});

describe('npm run pin-images', () => {
  const manifest = '{"schemaVersion":2,"manifests":[]}';
  const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
  let registry: Server;
  let host: string;
  /** Gives the manifest of `ours/server:1` to whoever has its token; of `ours/liar:1` with another digest; of no other. */
  beforeEach(async () => {
    registry = createServer(({ url, headers }, response) => {
      if (url?.startsWith('/token')) return response.end('{"token":"anybody"}');
      if (headers.authorization !== 'Bearer anybody')
        return response
          .writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token",service="s",scope="pull"` })
          .end();
      const named = url === '/v2/ours/server/manifests/1' ? digest : url === '/v2/ours/liar/manifests/1' && 'sha256:0';
      if (!named) return response.writeHead(404).end();
      return response.writeHead(200, { 'docker-content-digest': named }).end(manifest);
    });
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise((resolve) => registry.close(resolve)));

  const compose = (images: string[]) => images.map((image, i) => `  s${i}:\n    image: ${image}\n`).join('');

  it('writes the digests that a registry gives, and no others', async () => {
    const path = join(folder, 'docker-compose.yml');
    const held = `${host}/ours/held:1@sha256:${'a'.repeat(64)}`;
    const [server, liar, lost] = ['server', 'liar', 'lost'].map((name) => `${host}/ours/${name}:1`);
    writeFileSync(path, compose([server, liar, lost, held, 'driftloop:0.1.0', '127.0.0.1:9/away:2']));
    writeFileSync(join(folder, 'Dockerfile'), `ARG NODE=${server}\nFROM \${NODE}\n`);
    const { status, output } = await run('pin-images', [folder]);
    expect(status).toBe(0);
    expect(output).toContain(`pinned: ${server}@${digest}`);
    expect(output).toMatch(/unpinned: .*\/ours\/liar:1 in docker-compose\.yml: .*another digest/);
    expect(output).toMatch(/unpinned: .*\/ours\/lost:1 in docker-compose\.yml: its registry says 404/);
    expect(output).toMatch(
      /unpinned: 127\.0\.0\.1:9\/away:2 in docker-compose\.yml: its registry does not answer \(\w+\)/,
    );
    expect(readFileSync(path, 'utf8')).toBe(
      compose([`${server}@${digest}`, liar, lost, held, 'driftloop:0.1.0', '127.0.0.1:9/away:2']),
    );
    expect(readFileSync(join(folder, 'Dockerfile'), 'utf8')).toBe(`ARG NODE=${server}@${digest}\nFROM \${NODE}\n`);
  });

  it('lists with --check what has no digest, without asking anybody', async () => {
    writeFileSync(join(folder, 'docker-compose.yml'), compose([`${host}/ours/server:1`]));
    const { status, output } = await run('pin-images', ['--check', folder]);
    expect({ status, output }).toEqual({
      status: 1,
      output: `unpinned: ${host}/ours/server:1 in docker-compose.yml: no digest\npin-images: 1 unpinned\n`,
    });
  });
});
