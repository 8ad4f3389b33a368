/** A disk without room: the service says so, stays live, and goes on when there is some. */
import { testService } from '@driftloop/testing/service';
import { DiskSpace, type FileSystem } from './disk-space.js';
import { Readiness } from './readiness.js';
import { tiny, World, world } from './testing/tiny-service.js';

const MB = 1024 ** 2;
const ofMegabytes = (size: number, free: number): FileSystem => ({
  bsize: 4096,
  blocks: (size * MB) / 4096,
  bavail: (free * MB) / 4096,
});

function disk(size: number, free: number) {
  const readiness = new Readiness();
  readiness.running();
  const now = { free, away: false };
  const ask = async () => {
    if (now.away) throw new Error('no such file');
    return ofMegabytes(size, now.free);
  };
  return { readiness, now, space: new DiskSpace({ home: '/home' }, readiness, ask) };
}

it.each([
  [100_000, 64, 63],
  [160, 10, 9],
])('is full on a disk of %d MB below %d MB', async (size, enough, few) => {
  const { readiness, now, space } = disk(size, enough);
  await space.look();
  expect([space.full, readiness.ready]).toEqual([[], true]);
  now.free = few;
  await space.look();
  expect([space.full, readiness.ready]).toEqual([['home'], false]);
  expect(readiness.reasons).toEqual([
    `writing to the disk of the home is paused: the disk of the home is full: ${few} MB are free, and ${enough} MB are needed; make room`,
  ]);
});

it('goes on when there is room again, and does not call a disk full that cannot be asked', async () => {
  const { readiness, now, space } = disk(1000, 1);
  await space.look();
  expect(readiness.ready).toBe(false);
  now.free = 500;
  await space.look();
  expect(readiness.reasons).toEqual([]);
  now.away = true;
  await space.look();
  expect(readiness.ready).toBe(true);
});

it('is what /readyz says of a service, and no reason to end it', async () => {
  Object.assign(world, new World());
  let free = 500;
  const statfs = async () => ofMegabytes(1000, free);
  const service = await testService(tiny, { healthPort: 0, statfs, logLines: { write: () => {} } });
  const ask = async (path: string) => {
    const reply = await fetch(`http://127.0.0.1:${service.healthPort}${path}`);
    return { status: reply.status, reasons: ((await reply.json()) as { reasons?: string[] }).reasons };
  };
  free = 0;
  const full = await ask('/readyz');
  expect(full).toEqual({
    status: 503,
    reasons: expect.arrayContaining([expect.stringContaining('the disk of the home is full: 0 MB are free')]),
  });
  expect((await ask('/livez')).status).toBe(200);
  free = 500;
  await new Promise((resolve) => setTimeout(resolve, 1100)); // an answer is remembered for a second
  expect(await ask('/readyz')).toEqual({ status: 200, reasons: [] });
  await service.close();
});
