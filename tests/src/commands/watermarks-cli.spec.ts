/** How far sources have come, through the command line against a running house: seen, refused ahead of time, and taken back. */
import { Reporter } from '@driftloop/client';
import type { Ran } from '@driftloop/testing/running';
import { openPlayed, type Played } from '../walk/played.js';
import { DAY, HOUR, parcelsSpec, START } from '../worlds/parcels.js';
import { driftloop } from './process.js';

let played: Played;
let reporter: Reporter;
const promised = new Date(START + DAY);

beforeAll(async () => {
  played = await openPlayed();
  await played.control.apply(parcelsSpec(), new Date(START));
  await played.control.settled();
  const { house } = played;
  const addresses = { featureStore: house.address('feature-store'), labeling: house.address('labeling') };
  reporter = new Reporter(addresses, house.replayToken);
  const knownAt = new Date(START + HOUR);
  const facts = reporter.facts();
  const row = { entityId: 'P1', eventTime: knownAt, knownAt, values: { delay: 5 } };
  await facts.send('parcels', 'handed', [row], promised);
  facts.close();
  await reporter.outcomes('parcels.late', [{ entityId: 'P1', entityTime: knownAt, knownAt, value: 1 }], promised);
  await played.control.settled();
}, 60_000);
afterAll(async () => {
  reporter?.close();
  await played?.close();
});

const run = (...args: string[]): Promise<Ran> => driftloop(args, { DRIFTLOOP_URL: played.house.url });
async function said(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

it('refuses a promise that is a month ahead, and says how far one may be', async () => {
  const ahead = new Date(START + 31 * DAY);
  const refusal = {
    code: 'WATERMARK_AHEAD',
    message: expect.stringContaining('can be known yet after 2024-01-09T00:00'),
  };
  const facts = reporter.facts();
  await expect(facts.send('parcels', 'traffic', [], ahead)).rejects.toMatchObject(refusal);
  facts.close();
  await expect(reporter.outcomes('parcels.late', [], ahead)).rejects.toMatchObject(refusal);
});

it('shows every source, what it has promised and what it knows', async () => {
  const [header, ...rows] = (await said('watermarks')).trimEnd().split('\n');
  expect(header).toMatch(/^source +promised up to +newest known +rows in memory +state/);
  expect(rows).toEqual([
    expect.stringMatching(/^handed +2024-01-02 00:00 +2024-01-01 01:00 +1$/),
    expect.stringMatching(/^orders +– +– +0 +has never spoken$/),
    expect.stringMatching(/^traffic +– +– +0 +has never spoken$/),
    expect.stringMatching(/^outcomes +2024-01-02 00:00 +2024-01-01 01:00 +1$/),
  ]);
});

it('takes a promise back, to a time or altogether, and the audit names who did', async () => {
  expect(await said('watermarks', 'withdraw', 'handed', '--to', '2024-01-01T12:00:00Z')).toMatch(
    /^handed is at 2024-01-01 12:00 again;/,
  );
  expect(await said('watermarks', 'withdraw', 'outcomes', '--note', 'a wrong clock')).toMatch(
    /^outcomes has promised nothing;/,
  );
  const states = JSON.parse(await said('watermarks', '--json'));
  expect(states.map(({ source, watermark }: Record<string, string>) => [source, watermark])).toEqual([
    ['handed', '2024-01-01T12:00:00.000Z'],
    ['orders', undefined],
    ['traffic', undefined],
    ['outcomes', undefined],
  ]);
  const acts = (await said('audit')).split('\n').filter((line) => line.includes('withdraw watermark'));
  // Of the labels it is two: labeling's, and the feature store's.
  expect(acts).toHaveLength(3);
});

it('names a source that is none, and a time that is none', async () => {
  const refused = (stderr: RegExp) => ({ stdout: '', stderr: expect.stringMatching(stderr) });
  expect(await run('watermarks', 'withdraw', 'tides')).toEqual({ code: 1, ...refused(/^UNKNOWN_SOURCE: /) });
  expect(await run('watermarks', 'withdraw', 'handed', '--to', 'noon')).toEqual({
    code: 2,
    ...refused(/write a time such as/),
  });
  expect(await run('watermarks', '-m', 'nobody')).toEqual({ code: 1, ...refused(/^UNKNOWN_MODEL: /) });
});
