/** Every method of every service says who may call it. */

import { everyMethod } from './descriptors.js';
import { accessOf, knownPaths, suffices } from './index.js';
import { roles } from './roles.js';

/** Not ours, and open to everybody: whether a service is there, and what its contracts are. */
const open = ['grpc.health.v1.Health'];
const methods = everyMethod().filter(({ service }) => !open.includes(service));

it('has an entry for each method of the contracts, and for nothing else', () => {
  expect(methods.length).toBeGreaterThan(40);
  expect(knownPaths().sort()).toEqual(methods.map(({ path }) => path).sort());
});

it('audits what changes the loop, and no reading, telling or asking', () => {
  const acts = methods.filter(({ path }) => accessOf(path).act).map(({ path }) => path.slice(path.indexOf('/', 1) + 1));
  expect([...new Set(acts)].sort()).toEqual([
    ...[
      'Apply',
      'DiscardDeadLetters',
      'Freeze',
      'Pause',
      'Promote',
      'ReplayDeadLetters',
      'ResolveQuarantine',
      'RollBack',
      'WithdrawWatermark',
    ],
  ]);
});

it('names an act by what is asked for, and by nothing that a caller makes up', () => {
  const name = (path: string, request: object) => accessOf(path).act?.name(request as never);
  expect([true, false].map((paused) => name('/driftloop.v1.Monitoring/Pause', { paused }))).toEqual([
    'pause',
    'resume',
  ]);
  expect([true, false].map((held) => name('/driftloop.v1.Registry/Freeze', { held }))).toEqual(['freeze', 'thaw']);
  const states = ['released', 'upheld', 'x'.repeat(1000)];
  expect(states.map((state) => name('/driftloop.v1.Labeling/ResolveQuarantine', { state }))).toEqual([
    ...['release', 'uphold', 'resolve'],
  ]);
});

it('leaves a method that has no entry to admins', () => {
  expect(accessOf('/driftloop.v1.Registry/Nothing')).toEqual({ role: 'admin' });
  expect(accessOf('constructor')).toEqual({ role: 'admin' });
});

it('lets an admin do everything but say what time it is, an operator read, a reviewer annotate', () => {
  const has = (role: (typeof roles)[number]) => roles.filter((needed) => suffices([role], needed));
  expect(has('admin')).toEqual(roles.filter((role) => role !== 'replay'));
  expect(has('operator')).toEqual(['operator', 'reader']);
  expect(has('reviewer')).toEqual(['annotator', 'reviewer']);
  for (const role of ['reader', 'annotator', 'worker', 'replay'] as const) expect(has(role)).toEqual([role]);
});
