/**
 * The ledger from the command line: printed, filtered, and checked by whoever reads it.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { driftloop } from '../commands/process.js';
import { DAY, parcelsWorld, START } from '../worlds/parcels.js';
import { openPlayed, type Played } from './played.js';

let played: Played;
let liar: Server;
let run: (...args: string[]) => ReturnType<typeof driftloop>;

beforeAll(async () => {
  played = await openPlayed();
  await played.play(parcelsWorld({ driftAt: 12 }), START + 16 * DAY);
  run = (...args) => driftloop(['ledger', ...args], { DRIFTLOOP_URL: played.house.url });
}, 120_000);

afterAll(async () => {
  liar?.close();
  await played?.close();
});

it('prints every decision in order, and what the whole is called', async () => {
  const { code, stdout } = await run();
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^# +event time +service +decision +outcome +cycle +why$/);
  expect(lines[1]).toMatch(
    /^ *1 +2024-01-\d\d \d\d:\d\d +monitoring +cycle\.opened +bootstrap +[0-9a-f]{8} +\d+ labels/,
  );
  const { total, watermark, sha256 } = await played.control.ledger('parcels');
  expect(lines.at(-1)).toBe(
    `${total} decisions up to ${watermark!.toISOString().slice(0, 16).replace('T', ' ')}, sha256 ${sha256}`,
  );
  expect(lines).toHaveLength(total + 3);
});

it('is filtered by kind, cycle and event time', async () => {
  const kinds = async (...args: string[]) =>
    (JSON.parse((await run('--json', ...args)).stdout).entries as { decision: { kind: string } }[]).map(
      ({ decision }) => decision.kind,
    );
  const all = await kinds();
  expect(new Set(await kinds('--kind', 'cycle'))).toEqual(new Set(['cycle.opened', 'cycle.closed']));
  expect(await kinds('-k', 'gate')).toEqual(all.filter((kind) => kind === 'gate'));
  const [{ cycleId }] = await played.control.cycles('parcels');
  const ofFirst = await kinds('-c', cycleId.slice(0, 6));
  expect([...ofFirst].sort()).toEqual(['alias', 'cycle.closed', 'cycle.opened', 'gate']);
  const last = (await played.control.ledger('parcels')).entries.at(-1)!.decision!.eventTime!;
  const instantBefore = new Date(last.getTime() - 1).toISOString();
  const [before, since] = [await kinds('--until', instantBefore), await kinds('--since', last.toISOString())];
  expect([...before, ...since]).toEqual(all);
  expect(before.length * since.length).toBeGreaterThan(0);
  expect((await run('--kind', 'nothing')).stdout).toMatch(/^no such decision about parcels\n/);
  expect(await run('--since', 'yesterday')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--since is "yesterday", which is no time; write it as/),
  });
});

it('is checked by the reader: whole, or where it is broken with exit code 1', async () => {
  const ledger = await played.control.ledger('parcels');
  expect(await run('--verify', '--kind', 'gate')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`whole: the chain of ${ledger.total} decisions ends with ${ledger.sha256}`),
  });
  const url = await lying((text) => text.replace('"outcome":"approved"', '"outcome":"refused"'));
  const { code, stdout, stderr } = await driftloop(['ledger', '--verify', '--json'], { DRIFTLOOP_URL: url });
  const { check } = JSON.parse(stdout);
  expect({ code, check }).toMatchObject({ code: 1, check: { whole: false } });
  expect(check.reason).toMatch(/its hash is [0-9a-f]{64}, and should be/);
  expect(ledger.entries[check.brokenAt - 1].decision).toMatchObject({ kind: 'gate', outcome: 'approved' });
  expect(stderr).toMatch(new RegExp(`^LEDGER_BROKEN: broken at ${check.brokenAt}:`));
});

/** A gateway that changes what it is asked for the ledger. */
async function lying(change: (text: string) => string): Promise<string> {
  liar = createServer(async (request, reply) => {
    const answer = await fetch(played.house.url + request.url);
    const text = await answer.text();
    reply.setHeader('content-type', 'application/json').end(request.url!.includes('/ledger') ? change(text) : text);
  });
  await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
}
