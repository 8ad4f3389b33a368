/**
 * Trainings that fail: the cycle ends with the reason, whoever answered goes on answering, and after the cooldown the
 * loop tries again and succeeds.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';
import type { Happening } from '@driftloop/flights';
import { DAY, parcelsWorld, START } from '../worlds/parcels.js';
import { type Failing, lenient, openFailing } from './failing.js';

let house: Failing;
afterEach(() => house?.close());

const bad = START + 9 * DAY;
type Outcome = Extract<Happening, { kind: 'outcome' }>;

/** The world, with the outcomes of its first nine days changed. */
function spoilt(change: (outcome: Outcome['outcome']) => Outcome['outcome']) {
  const world = parcelsWorld({ days: 26, spec: lenient });
  const happenings = world.happenings.map((one) =>
    one.kind === 'outcome' && one.at < bad ? { ...one, outcome: change(one.outcome) } : one,
  );
  return { ...world, happenings };
}

/** Plays until a cycle has succeeded, and looks at it, at those before, and at who answered meanwhile. */
async function lived() {
  const { cycles } = await house.until(({ last }) => last.outcome === 'promoted', 11);
  const answers = [...house.diary().answers().values()];
  const asked = house.world.happenings.filter((one) => one.kind === 'question' && one.at <= house.now()).length;
  return { failed: cycles.slice(0, -1), promoted: cycles[cycles.length - 1], answers, asked };
}

it.each([
  [
    'labels of one kind only',
    (outcome: Outcome['outcome']) => ({ ...outcome, value: 0 }),
    /^ONE_CLASS: all \d+ labels of the .* rows are 0; wait for examples of both classes/,
  ],
  [
    'labels of things that were never heard of',
    (outcome: Outcome['outcome']) => ({ ...outcome, entityId: `other-${outcome.entityId}` }),
    /^TRAINING_SET_EMPTY: /,
  ],
])(
  '%s fail the training; the prior goes on answering, and the next attempt succeeds',
  async (_what, change, reason) => {
    house = await openFailing(spoilt(change), bad);
    const { failed, promoted, answers, asked } = await lived();
    expect(failed.length).toBeGreaterThan(0);
    for (const cycle of failed) expect(cycle).toMatchObject({ outcome: 'failed', version: '' });
    expect(failed[0].reasons).toEqual([expect.stringMatching(reason)]);
    expect(promoted).toMatchObject({ version: 'v1', champion: 'v0' });
    const opened = [...failed, promoted].map((cycle) => cycle.opened!.getTime());
    for (let i = 1; i < opened.length; i++) expect(opened[i] - opened[i - 1]).toBeGreaterThanOrEqual(3 * DAY);
    expect(answers).toHaveLength(asked);
    expect(new Set(answers.map(({ version }) => version))).toContain('v0');
    const { entries } = await house.control.ledger(house.world.model);
    const told = entries.map(({ decision }) => `${decision!.kind} ${decision!.outcome}`);
    expect(told).toEqual(expect.arrayContaining(['cycle.closed failed', 'cycle.closed promoted']));
  },
  180_000,
);

it('a training whose thread is killed again and again fails; the next one is left alone and succeeds', async () => {
  let killing = true;
  let killed = 0;
  const kill = (message: unknown) => {
    const { worker } = message as { worker: Worker };
    worker.on('message', (told: { kind?: string }) => {
      if (!killing || told.kind !== 'step') return;
      killed++;
      void worker.terminate();
    });
  };
  subscribe('worker_threads', kill);
  try {
    house = await openFailing(parcelsWorld({ days: 26, spec: lenient }), bad);
    await house.until(({ last }) => last.outcome !== '', 3);
    killing = false;
    const { failed, promoted } = await lived();
    expect(failed).toMatchObject([
      { outcome: 'failed', reasons: [expect.stringMatching(/given up after \d+ attempts/)] },
    ]);
    expect(killed).toBeGreaterThan(1);
    expect(promoted).toMatchObject({ version: 'v1' });
  } finally {
    unsubscribe('worker_threads', kill);
  }
}, 180_000);
