/**
 * What operators do at a running house, through the command line: look at the services, at a cycle's trace and its
 * explanation, pause, freeze, and give back or discard an event that a group could not take.
 */
import { type Cycle, events } from '@driftloop/contracts';
import type { Ran } from '@driftloop/testing/running';
import { openPlayed, type Played } from '../walk/played.js';
import { DAY, parcelsWorld, START } from '../worlds/parcels.js';
import { driftloop } from './process.js';

let played: Played;
let cycle: Cycle;
let doors: Record<string, string>;

beforeAll(async () => {
  played = await openPlayed();
  await played.play(parcelsWorld(), START + 11 * DAY);
  [cycle] = await played.control.cycles('parcels');
  doors = { DRIFTLOOP_URL: played.house.url, DRIFTLOOP_SERVING_ADDRESS: played.house.address('serving') };
}, 90_000);
afterAll(() => played?.close());

const run = (...args: string[]): Promise<Ran> => driftloop(args, doors);
async function said(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}
const refused = (stderr: RegExp) => ({ code: 1, stdout: '', stderr: expect.stringMatching(stderr) });

it('driftloop trace draws the tree of a cycle', async () => {
  const text = await said('trace', cycle.cycleId.slice(0, 8));
  expect(text).toMatch(new RegExp(`^cycle ${cycle.cycleId} of parcels: promoted; trace ${cycle.traceId}\n`));
  expect(text).toMatch(/\n2024-01-09 22:00 {2}cycle opened +monitoring +\d+ ms {2}bootstrap\n/);
  expect(text).toMatch(/├─ training +training .*\n.*│ {2}├─ dataset +training .*\n.*└─ training set +feature-store/);
  expect(text).toMatch(
    /gate +registry +\d+ ms {2}v1, approved\n.*promoted .*\n.*rollout followed +serving .*loaded v1/,
  );
  const json = JSON.parse(await said('trace', cycle.cycleId, '--json'));
  expect(json).toMatchObject({ cycleId: cycle.cycleId, traceId: cycle.traceId });
  expect(json.spans).toHaveLength(cycle.spans.length);
});

it('driftloop explain tells it in words', async () => {
  const text = await said('explain', cycle.cycleId.slice(0, 8));
  expect(text).toMatch(/^Cycle 1 of parcels opened on 2024-01-09 because no training had made the champion v0/);
  expect(text).toMatch(/\n\nThe training \(2024-01-09 22:00\)\n {2}The released model learned from all \d+ rows/);
  expect(text).toMatch(/\n\nWhat you can do now\n {2}- Nothing needs doing\./);
  expect(text.split('\n').every((line) => line.length <= 100)).toBe(true);
  expect(JSON.parse(await said('explain', cycle.cycleId, '--json'))).toMatchObject({ outcome: 'promoted' });
  expect(await run('explain', 'ffffffff')).toEqual(refused(/^UNKNOWN_CYCLE: /));
});

it('driftloop services lists what runs', async () => {
  const text = await said('services');
  for (const service of ['labeling', 'feature-store', 'training', 'registry', 'serving', 'monitoring'])
    expect(text).toMatch(new RegExp(`^${service} +ready +\\d+\\.\\d+\\.\\d+ +embedded +\\d+ +0 +0$`, 'm'));
});

it('driftloop pause and resume hold the loop, with who and why in the status', async () => {
  expect(await said('pause', '--note', 'holidays')).toMatch(/^parcels is paused by main: holidays: no cycle opens/);
  expect(await said('status')).toMatch(/^paused by main: holidays: no cycle opens \(driftloop resume\)$/m);
  expect(await said('resume')).toBe('parcels goes on: cycles open again from the next tick on\n');
  expect(await said('status')).not.toContain('paused');
});

it('driftloop freeze and thaw hold the champion, and promote needs force meanwhile', async () => {
  expect(await said('freeze', '--note', 'audit')).toBe('parcels is frozen: v1 answers and stays\n');
  await played.control.settled();
  expect(await said('status')).toMatch(/^frozen by main: audit: the champion stays, trials wait \(driftloop thaw\)$/m);
  expect(await run('promote', 'v0')).toEqual(refused(/^FROZEN: .*frozen by main: audit.*driftloop thaw.*--force/));
  expect(await said('promote', 'v0', '--force')).toMatch(/^parcels: v0 answers/);
  expect(await said('rollback', '--force')).toMatch(/^parcels: v1 answers/);
  expect(await said('thaw')).toBe('parcels is thawed: v1 answers, and may be replaced again\n');
  await played.control.settled();
  expect(await said('status')).not.toContain('frozen by');
});

it('driftloop dead shows what a group could not take, replay gives it back to that group alone, discard ends it', async () => {
  expect(await said('dead')).toBe('no dead letters\n');
  const { topic } = events.retrainingRequested;
  const data = { tenant: 'main', model: 'parcels', cycleId: 'x' };
  const event = { id: 'poison', topic, key: 'main/parcels', time: START, source: 'monitoring', data };
  await played.house.store.bus.publish([event]);
  await played.control.settled();
  const text = await said('dead', '--service', 'training');
  expect(text).toMatch(
    /training\.when-retraining-requested +retraining\.requested +main\/parcels +poison +REQUEST_INVALID: /,
  );
  expect(await said('services')).toMatch(/^training\.when-retraining-requested +retraining\.requested +0 +1$/m);
  expect(await said('dead', '--service', 'serving')).toBe('no dead letters\n');
  const [letter] = JSON.parse(await said('dead', '--json')).letters;
  expect(JSON.parse(letter.payloadJson)).toEqual(data);
  expect(await said('replay', letter.group, 'poison')).toMatch(/^one event given back to training\.when-/);
  await played.control.settled();
  expect(JSON.parse(await said('dead', '--json')).total).toBe(1);
  expect(await run('discard', letter.group, 'poison', 'nothing')).toEqual(refused(/^BUS_DEAD_LETTER_UNKNOWN: /));
  expect(await run('discard', 'kitchen.when-hungry', '--all')).toEqual(refused(/^UNKNOWN_SERVICE: .*training/));
  const discarded = await said('discard', letter.group, 'poison', '--note', 'its sender has sent it anew');
  expect(discarded).toBe(`one event of ${letter.group} discarded\n  poison\n`);
  expect(await said('dead')).toBe('no dead letters\n');
  expect(JSON.parse(await said('discard', letter.group, '--all', '--json'))).toEqual({
    group: letter.group,
    discarded: 0,
    eventIds: [],
  });
  expect(await run('replay', letter.group, 'nothing')).toEqual(refused(/^BUS_DEAD_LETTER_UNKNOWN: /));
  expect(await run('replay', 'kitchen.when-hungry')).toEqual(refused(/^UNKNOWN_SERVICE: .*training/));
  expect(await run('dead', '--group', 'training.when-hungry')).toEqual(refused(/^GROUP_UNKNOWN: /));
});
