/** The audit of a real service: who did what, what came of it, and what nobody may. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AdminClient,
  type AuditedAct,
  LabelingClient,
  type LoopError,
  type Role,
  roles,
  tokenLine,
} from '@driftloop/contracts';
import { testService } from '@driftloop/testing/service';
import { Metadata } from '@grpc/grpc-js';
import { Audit, call, grpcClient, Secret, WallClock } from './index.js';
import { tiny, World, world } from './testing/tiny-service.js';

const folder = mkdtempSync(join(tmpdir(), 'driftloop-audit-'));
const file = join(folder, 'tokens');
const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const entry = (role: Role) => tokenLine({ name: `the-${role}`, sha256: digest(`token-of-${role}`), roles: [role] });
writeFileSync(file, roles.map(entry).join('\n'), { mode: 0o600 });
const group = 'labeling.when-model-declared';

/** A wall that stands until it is moved. */
class StandingWall extends WallClock {
  constructor(public ms: number) {
    super();
  }
  override now() {
    return this.ms;
  }
}

const open: { close(): unknown }[] = [];
beforeEach(() => void Object.assign(world, new World()));
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function started() {
  const wall = new StandingWall(Date.parse('2026-03-01T10:00:00Z'));
  const options = { environment: { DRIFTLOOP_TOKENS_FILE: file, DRIFTLOOP_LOG_LEVEL: 'silent' }, clock: wall };
  const service = await testService(tiny, options);
  open.push(service);
  const as = (role: Role) => {
    const secret = new Secret(`token-of-${role}`);
    const admin = grpcClient(AdminClient, `127.0.0.1:${service.port}`, secret);
    const labeling = grpcClient(LabelingClient, `127.0.0.1:${service.port}`, secret);
    open.push(admin, labeling);
    return { admin, labeling };
  };
  const read = async (request = {}) => {
    const asked = { limit: 0, before: '', by: '', subject: '', ...request };
    return (await call(as('operator').admin, 'readAudit', asked)).acts;
  };
  const { bus } = service.ground;
  const data = { tenant: 'main', model: 'poison' };
  const poison = async (id: string) => {
    await bus.publish([{ id, topic: 'model.declared', key: 'main/poison', time: 7, source: 'registry', data }]);
    await bus.settled();
  };
  return { service, as, read, poison, wall, audit: service.app.get(Audit) };
}

const gist = (acts: AuditedAct[]) =>
  acts.map(({ by, act, subject, status, code }) => [by, act, subject, status, code].join(' '));
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'answered',
    (error: LoopError) => error,
  );
/** Refusals are kept beside the answer. */
async function until<T>(found: () => Promise<T[]>, count: number): Promise<T[]> {
  for (;;) {
    const all = await found();
    if (all.length >= count) return all;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it('keeps who did what, about what, when, from where and how it ended', async () => {
  const { as, read, poison } = await started();
  await poison('a');
  const metadata = new Metadata();
  metadata.set('x-request-id', 'ticket-7');
  await call(as('operator').admin, 'replayDeadLetters', { group, eventIds: ['a'] }, { metadata });
  const [act, ...none] = await read();
  expect(none).toEqual([]);
  expect(act).toEqual({
    ...{ id: expect.stringMatching(/^\d{14}-[0-9a-f]{8}$/), at: new Date('2026-03-01T10:00:00Z') },
    ...{ by: 'the-operator', roles: ['operator'], connection: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
    ...{ service: 'labeling', act: 'replay', method: '/driftloop.v1.Admin/ReplayDeadLetters', subject: group },
    ...{ status: 'OK', code: '', requestId: 'ticket-7' },
  });
});

it('keeps an act that is refused by what it is refused with, and nothing of its payload', async () => {
  const { as, read } = await started();
  const { admin } = as('admin');
  const note = 'a note that nobody may keep';
  await refusal(call(admin, 'discardDeadLetters', { group, eventIds: ['nothing'], all: false, note }));
  await refusal(call(admin, 'replayDeadLetters', { group: 'x'.repeat(250), eventIds: [] }));
  const acts = await read();
  expect(gist(acts)).toEqual([
    `the-admin replay ${'x'.repeat(200)} NOT_FOUND GROUP_UNKNOWN`,
    `the-admin discard ${group} NOT_FOUND BUS_DEAD_LETTER_UNKNOWN`,
  ]);
  expect(JSON.stringify(acts)).not.toMatch(/nobody may keep|token-of/);
});

it('keeps neither questions nor what is told', async () => {
  const { as, read } = await started();
  await call(as('annotator').labeling, 'recordOutcomes', { label: 'x', outcomes: [], watermark: undefined });
  await call(as('reader').admin, 'describe', {});
  expect(await read()).toEqual([]);
});

it('refuses whoever lacks the role before the handler runs, says which is needed, and keeps that once a minute', async () => {
  const { as, read, poison, wall, service } = await started();
  await poison('a');
  for (const role of roles.filter((one) => one !== 'admin' && one !== 'operator')) {
    const { admin } = as(role);
    const discarding = () => call(admin, 'discardDeadLetters', { group, eventIds: ['a'], all: false, note: '' });
    for (let i = 0; i < 3; i++)
      expect(await refusal(discarding())).toMatchObject({
        ...{ code: 'ROLE_MISSING', status: 'PERMISSION_DENIED', retriable: false },
        message: expect.stringContaining(`needs the role operator, and the-${role} has ${role}`),
      });
  }
  const refused = await until(read, 5);
  expect(gist(refused).sort()).toEqual(
    ['annotator', 'reader', 'replay', 'reviewer', 'worker'].map(
      (role) => `the-${role} DiscardDeadLetters  PERMISSION_DENIED ROLE_MISSING`,
    ),
  );
  expect(await service.ground.bus.countDead(group)).toBe(1);
  wall.ms += 61_000;
  await refusal(call(as('reader').admin, 'replayDeadLetters', { group, eventIds: [] }));
  await refusal(call(as('reader').admin, 'discardDeadLetters', { group, eventIds: ['a'], all: false, note: '' }));
  expect(await until(read, 7)).toHaveLength(7);
});

it('keeps an attempt before the act begins: one that never ends is there, without an outcome', async () => {
  const { audit, read } = await started();
  const caller = { tenant: 'main', name: 'ana', roles: ['admin'] as const, key: 'ana', replay: false };
  const attempt = { caller, connection: '', act: 'pause', method: '/x', subject: 'flights', requestId: undefined };
  await audit.begin(attempt);
  expect(gist(await read())).toEqual(['ana pause flights  ']);
});

it('is read page by page, by caller and by subject, of one tenant alone', async () => {
  const { audit, read } = await started();
  for (let i = 0; i < 7; i++) {
    const [tenant, name] = [i === 6 ? 'other' : 'main', i % 2 ? 'ana' : 'ben'];
    const caller = { tenant, name, roles: ['admin'] as const, key: name, replay: false };
    const attempt = { caller, connection: '', act: 'pause', method: '/x', subject: `model-${i}`, requestId: undefined };
    await (await audit.begin(attempt))({ status: 'OK', code: '' });
  }
  const subjects = (acts: AuditedAct[]) => acts.map(({ subject }) => subject);
  const first = await read({ limit: 4 });
  expect(subjects(first)).toEqual(['model-5', 'model-4', 'model-3', 'model-2']);
  expect(subjects(await read({ limit: 4, before: first.at(-1)!.id }))).toEqual(['model-1', 'model-0']);
  expect(subjects(await read({ by: 'ana' }))).toEqual(['model-5', 'model-3', 'model-1']);
  expect(subjects(await read({ subject: 'model-6' }))).toEqual([]);
});

it('forgets what is older than 400 days', async () => {
  const { audit, read, wall } = await started();
  const caller = { tenant: 'main', name: 'ana', roles: ['admin'] as const, key: 'ana', replay: false };
  const act = (subject: string) =>
    audit.begin({ caller, connection: '', act: 'pause', method: '/x', subject, requestId: undefined });
  await act('old');
  wall.ms += 401 * 86_400_000;
  // Beyond what the documents let anybody scan without an index.
  for (let i = 0; i < 1201; i++) await act('new');
  expect((await read({ subject: 'old' })).length + (await read({ by: 'nobody' })).length).toBe(0);
  expect(await read({ limit: 5000 })).toHaveLength(1000);
});
