/** Every route of the gateway says who may call it, and is refused to everybody else. */
import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { roles, suffices, tokenLine } from '@driftloop/contracts';
import { Audit, Credentials } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';
import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, MODULE_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { knownRoutes, roleOf } from './access.js';
import { GatewayModule } from './gateway.module.js';
import { gateway } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'driftloop-gateway-'));
const file = join(folder, 'tokens');
const digest = (text: string) => createHash('sha256').update(text).digest('hex');
writeFileSync(
  file,
  roles.map((role) => `${tokenLine({ name: role, sha256: digest(`token-of-${role}`), roles: [role] })}\n`).join(''),
  { mode: 0o600 },
);
// Not the usual ports: somebody's own house may be running there.
const names = ['LABELING', 'FEATURE_STORE', 'TRAINING', 'REGISTRY', 'SERVING', 'MONITORING'];
const nobody = Object.fromEntries(names.map((name) => [`DRIFTLOOP_${name}_ADDRESS`, '127.0.0.1:1']));

let service: Awaited<ReturnType<typeof testService>>;
beforeAll(async () => {
  service = await testService(gateway, { environment: { ...nobody, DRIFTLOOP_TOKENS_FILE: file } });
});
afterAll(async () => {
  await service.close();
  rmSync(folder, { recursive: true });
});

const paths = (given: string | string[]) => [given].flat().map((path) => path.replace(/^\/|\/$/g, ''));

/** Every route that the module's controllers have, as access.ts writes it. */
const routes = (Reflect.getMetadata(MODULE_METADATA.CONTROLLERS, GatewayModule) as Type[]).flatMap((controller) =>
  Object.getOwnPropertyNames(controller.prototype).flatMap((name) => {
    if (name === 'constructor') return [];
    const handler = controller.prototype[name];
    const path = Reflect.getMetadata(PATH_METADATA, handler);
    if (path === undefined) return [];
    const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler)];
    const below = paths(Reflect.getMetadata(PATH_METADATA, controller));
    return below.flatMap((parent) => paths(path).map((own) => `${method} /${[parent, own].filter(Boolean).join('/')}`));
  }),
);

it('has an entry for each route of its controllers, and for nothing else', () => {
  expect(routes.length).toBeGreaterThan(25);
  const own = [...new Set(routes.map((route) => route.replace(/^HEAD/, 'GET')))];
  expect(knownRoutes().sort()).toEqual(own.sort());
});

it('leaves a route that has no entry to admins', () => {
  expect(roleOf('POST', '/v1/nothing')).toBe('admin');
});

/** `patienceMs`: a call that is let in waits for services that are away. */
const answer = async (route: string, role: string, patienceMs = 30_000) => {
  const [method, path] = route.split(' ');
  // A stream of events would not end.
  const url = `http://127.0.0.1:${service.httpPort}${path.replaceAll(/:\w+/g, 'x')}${path === '/v1/events' ? '?topics=x' : ''}`;
  const headers = { authorization: `Bearer token-of-${role}`, 'content-type': 'application/json' };
  const body = method === 'POST' ? '{"limit":"x"}' : undefined;
  const signal = AbortSignal.timeout(patienceMs);
  const reply = await fetch(url, { method, headers, body, signal }).catch(() => undefined);
  const text = await reply?.text().catch(() => '');
  return { status: reply?.status ?? 0, ...(text ? (JSON.parse(text) as { code?: string; message?: string }) : {}) };
};

it.each(routes.filter((route) => !route.endsWith('/ready')))(
  '%s is refused to every role but those that suffice',
  async (route) => {
    const [method, path] = route.split(' ');
    const needed = roleOf(method, path)!;
    for (const role of roles.filter((one) => !suffices([one], needed))) {
      const { status, code, message } = await answer(route, role);
      expect(status).toBe(403);
      if (method === 'HEAD') continue;
      expect(code).toBe(needed === 'replay' ? 'REPLAY_ONLY' : 'ROLE_MISSING');
      if (needed !== 'replay') expect(message).toContain(`needs the role ${needed}, and ${role} has ${role}`);
    }
    expect((await answer(route, needed, 300)).status).not.toBe(403);
  },
);

it('keeps in its audit what it has refused', async () => {
  const audit = service.app.get(Audit);
  const query = { limit: 1000, before: '', by: 'reader', subject: '' };
  const promote = async () => (await audit.read('main', query)).find(({ act }) => act === 'promote');
  await answer('POST /v1/models/x/promote', 'reader');
  while (!(await promote())) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await promote()).toMatchObject({
    ...{ by: 'reader', subject: 'x', method: 'POST /v1/models/:model/promote', service: 'gateway' },
    ...{ status: 'PERMISSION_DENIED', code: 'ROLE_MISSING' },
  });
});

it('cuts what it still answers when the token holds no more', async () => {
  const credentials = service.app.get(Credentials);
  const entry = { name: 'listener', sha256: digest('token-of-listener'), roles: ['reader' as const], tenant: 'main' };
  credentials.replace([entry]);
  const headers = { authorization: 'Bearer token-of-listener' };
  const stream = await fetch(`http://127.0.0.1:${service.httpPort}/v1/events?topics=time.passed`, { headers });
  expect(stream.status).toBe(200);
  const ended = stream.text().then(
    () => 'ended',
    () => 'cut',
  );
  credentials.replace([entry]);
  expect(await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 50, 'goes on'))])).toBe('goes on');
  credentials.replace([]);
  expect(await ended).toBe('cut');
});
