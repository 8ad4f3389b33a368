/** Versions whose bytes are spoiled: what answers in their place is what replies, events and metrics say. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events, RolloutFailed, RolloutFollowed, Stage } from '@driftloop/contracts';
import { HandClock } from '@driftloop/testing/clock';
import { Scorer } from './scorer.js';
import { allInputs, graphOf, parameter, sha256, World } from './testing/world.js';

let home: string;
let clock: HandClock;
const open: World[] = [];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-spoiled-'));
  clock = new HandClock(Date.now());
});
afterEach(async () => {
  for (const world of open.splice(0)) await world.close();
  rmSync(home, { recursive: true });
});

async function start(): Promise<World> {
  const world = await World.open({ home, clock });
  open.push(world);
  return world;
}
const stop = async () => open.pop()!.close();

function write(version: string, bytes: Uint8Array): void {
  const folder = join(home, 'objects');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  writeFileSync(join(folder, names.find((name) => name.endsWith(`${version}.onnx`))!), bytes);
}
const spoiled = (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, i) => (i === 100 ? byte ^ 1 : byte));
const good = graphOf(0.7);

const answered = async (world: World) => {
  const { modelVersion, parameters } = await world.infer({ inputs: allInputs() });
  return [modelVersion, parameters.fallback_for];
};

/** What the replica has reported of what it serves, in the order of its count. */
async function reports(world: World) {
  await world.settled();
  const read = async (topic: string) => (await world.service.ground.bus.read(topic, 0, 0, 100)).map(({ data }) => data);
  const followed = (await read(events.rolloutFollowed.topic)).map(RolloutFollowed.fromJSON);
  const failed = (await read(events.rolloutFailed.topic)).map(RolloutFailed.fromJSON);
  const told = [
    ...followed.map(({ report, revision, version }) => ({ report, line: `${revision} followed, ${version} answers` })),
    ...failed.map((f) => ({ report: f.report, line: `${f.revision} lacks ${f.version}, ${f.answering} answers` })),
  ];
  return told.sort((a, b) => a.report - b.report).map(({ line }) => line);
}

it('names who answers in place of a champion that was spoiled after it was followed, until its bytes are right again', async () => {
  const before = await start();
  await before.serve(0.2);
  await before.rollOut(2, { champion: await before.version('v1', good) });
  await before.settled();
  expect(await answered(before)).toEqual(['v1', undefined]);
  await stop();

  write('v1', spoiled(good));
  const world = await start();
  expect(await answered(world)).toEqual(['v0', parameter('v1')]);
  const told = ['1 followed, v0 answers', '2 followed, v1 answers', '2 lacks v1, v0 answers'];
  expect(await reports(world)).toEqual(told);
  await stop();

  const again = await start();
  expect(await reports(again)).toEqual(told);
  write('v1', good);
  while ((await answered(again))[0] === 'v0') await clock.live(5000);
  expect(await answered(again)).toEqual(['v1', undefined]);
  expect(await reports(again)).toEqual([...told, '2 followed, v1 answers']);
  await stop();

  write('v1', spoiled(good));
  expect(await reports(await start())).toEqual([...told, '2 followed, v1 answers', '2 lacks v1, v0 answers']);
});

it('says that a champion is whole again where it was restored while nobody looked', async () => {
  const before = await start();
  await before.serve(0.2);
  await before.rollOut(2, { champion: await before.version('v1', spoiled(good), sha256(good)) });
  await before.settled();
  expect(await answered(before)).toEqual(['v0', parameter('v1')]);
  await stop();
  write('v1', good);
  const world = await start();
  expect(await answered(world)).toEqual(['v1', undefined]);
  expect(await reports(world)).toEqual(['1 followed, v0 answers', '2 lacks v1, v0 answers', '2 followed, v1 answers']);
});

it('tells of a champion that is lost while it answers', async () => {
  const world = await start();
  await world.serve(0.2);
  await world.rollOut(2, { champion: await world.version('v1', good) });
  await world.settled();
  write('v1', spoiled(good));
  await world.service.app.get(Scorer).keepOnly(() => false);
  expect(await answered(world)).toEqual(['v0', parameter('v1')]);
  expect((await reports(world)).at(-1)).toBe('2 lacks v1, v0 answers');
});

it.each(['frozen', 'challenger'] as const)('follows a new champion whose %s version is spoiled', async (role) => {
  const world = await start();
  await world.serve(0.2);
  const other = await world.version('v2', spoiled(good), sha256(good));
  const champion = await world.version('v1', graphOf(0.5));
  await world.rollOut(2, { champion, [role]: other, stage: Stage.CANARY, canaryPercent: 100, rolloutId: 'r2' });
  await world.settled();
  const { modelVersion, outputs, parameters } = await world.infer({ id: 'q', inputs: allInputs() });
  expect([modelVersion, outputs[0].contents?.fp64Contents, parameters.arm]).toEqual([
    'v1',
    [0.5],
    parameter('champion'),
  ]);
  expect((await reports(world)).at(-1)).toBe('2 lacks v2, v1 answers');
  await world.settled();
  expect(world.predictions.find(({ id }) => id === 'q')).toMatchObject({ version: 'v1', shadows: [] });
});

it('does not read an object of another size than its version declares', async () => {
  const world = await start();
  await world.serve(0.2);
  const champion = await world.version('v1', good);
  const { objects } = world.service.ground;
  const read: string[] = [];
  const { getFile } = objects;
  objects.getFile = (key, sha) => {
    read.push(key);
    return getFile.call(objects, key, sha);
  };
  write('v1', new Uint8Array(good.length + 1));
  await world.rollOut(2, { champion });
  await world.settled();
  expect(world.failures[0].reason).toMatch(new RegExp(`it has ${good.length + 1} bytes, not ${good.length}`));
  expect(read).toEqual([]);
});
