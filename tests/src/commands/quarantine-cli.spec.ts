/**
 * What is set aside, through the command line against a running house: an outcome that breaks a rule and a row out of its
 * range, listed together, shown, let in and confirmed.
 */
import { Reporter } from '@driftloop/client';
import type { Ran } from '@driftloop/testing/running';
import { openPlayed, type Played } from '../walk/played.js';
import { DAY, HOUR, parcelsSpec, START } from '../worlds/parcels.js';
import { driftloop } from './process.js';

const spec = parcelsSpec([
  ['label: { name: late,', 'label: { name: late, consistency: [{ attribute: delay, atLeast: 15 }],'],
  ['handed: { columns: { delay: number } }', 'handed: { columns: { delay: number }, ranges: { delay: [-60, 600] } }'],
]);

let played: Played;
let reporter: Reporter;

beforeAll(async () => {
  played = await openPlayed();
  await played.control.apply(spec, new Date(START));
  await played.control.settled();
  const { house } = played;
  const addresses = { featureStore: house.address('feature-store'), labeling: house.address('labeling') };
  reporter = new Reporter(addresses, house.replayToken);
  const entityTime = new Date(START + DAY);
  const knownAt = new Date(START + DAY + HOUR);
  const attributes = { delay: { kind: { $case: 'number' as const, value: 40 } } };
  const wrong = { entityId: 'P1', entityTime, knownAt, value: 0, source: 'doors', attributes };
  expect(await reporter.outcomes('parcels.late', [wrong])).toMatchObject({ accepted: 0, quarantined: 1 });
  const facts = reporter.facts();
  const row = { entityId: 'P2', eventTime: knownAt, knownAt: new Date(+knownAt + 1), values: { delay: 9999 } };
  expect(await facts.send('parcels', 'handed', [row])).toMatchObject({ accepted: 0, quarantined: 1 });
  facts.close();
}, 60_000);
afterAll(async () => {
  reporter?.close();
  await played?.close();
});

const run = (...args: string[]): Promise<Ran> =>
  driftloop(['quarantine', ...args], { DRIFTLOOP_URL: played.house.url });
async function said(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

it('lists what every holder has set aside, newest first, and as JSON', async () => {
  const [header, first, second] = (await said()).split('\n');
  expect(header).toMatch(/^id +state +set aside +why +rows +what/);
  expect(first).toMatch(/^feature-store\/[0-9a-f]{8} +held +2024-01-02 01:00 +out of range +1 +handed P2 of /);
  expect(second).toMatch(/^labeling\/[0-9a-f]{8} +held +2024-01-02 01:00 +inconsistent +1 +P1 of /);
  expect(JSON.parse(await said('--state', 'held', '--json'))).toMatchObject({ total: 2 });
  expect(await said('--state', 'upheld')).toBe('nothing is set aside\n');
  expect(await said('--limit', '1')).toMatch(/\n1 of 2; more with --limit\n$/);
});

it('shows one item with its reason and the row as it came', async () => {
  const text = await said('show', 'labeling/');
  expect(text).toMatch(
    /^labeling\/[0-9a-f]{24}: held\nP1 of 2024-01-02T00:00:00.000Z, source doors, 1 row, set aside /,
  );
  expect(text).toContain('value is 0 but delay is 40, where 1 means at least 15');
  expect(text).toContain('"entityId":"P1"');
});

it('lets an item in, confirms another, and names what is not there', async () => {
  expect(await said('release', 'labeling/', '--note', 'seen the parcel')).toMatch(
    /^labeling\/[0-9a-f]{24}: released\n$/,
  );
  const upheld = JSON.parse(await said('uphold', 'feature-store/', '--json'));
  expect(upheld).toMatchObject({ holder: 'feature-store', state: 'upheld' });
  expect(JSON.parse(await said('show', 'labeling/', '--json'))).toMatchObject({ note: 'seen the parcel' });
  const refused = (stderr: RegExp) => ({ stdout: '', stderr: expect.stringMatching(stderr) });
  expect(await run('release', 'monitoring/12')).toEqual({ code: 1, ...refused(/^UNKNOWN_ITEM: /) });
  expect(await run('uphold', 'labeling/')).toEqual({ code: 1, ...refused(/^ALREADY_RELEASED: /) });
  expect(await run('-m', 'nobody')).toEqual({ code: 1, ...refused(/^UNKNOWN_MODEL: /) });
  expect(await run('--state', 'gone')).toEqual({ code: 2, ...refused(/Allowed choices are held, released, upheld/) });
});
