/**
 * A person moves the champion in the middle of a cycle: whichever stage it is in, the cycle ends superseded, nothing of
 * it answers any more, and the same command at the same time gives the same ledger.
 */
import { verifyLedger } from '@driftloop/client';
import { DAY, HOUR, parcelsWorld, START } from '../worlds/parcels.js';
import { type Failing, lenient, openFailing, type State } from './failing.js';

let house: Failing;
afterEach(() => house?.close());

const reached: Record<string, (state: State) => boolean> = {
  training: ({ cycles }) => cycles[1]?.stage === 'training',
  'the gate': ({ versions }) => versions.some(({ version, state }) => version === 'v2' && state === 'registered'),
  shadow: ({ cycles }) => cycles[1]?.stage === 'shadow',
  canary: ({ cycles }) => cycles[1]?.stage === 'canary',
};

/** What it came to where the champion was moved in shadow: the same is commanded again below. */
let inShadow: Moved | undefined;

interface Moved {
  readonly at: number;
  readonly ledger: Awaited<ReturnType<Failing['control']['ledger']>>;
}

/** Plays until a stage is reached, lets a person promote the prior, and plays on until the cycle has ended, and a day. */
async function moved(stage: string) {
  const spec = [...lenient, ['cooldown: 3d', 'cooldown: 4d']] as const;
  house = await openFailing(parcelsWorld({ days: 30, spec }), START + 9 * DAY);
  await house.until(reached[stage]);
  const at = house.now();
  const { rollout } = await house.control.promote(house.world.model, 'v0', 'v1', `while in ${stage}`);
  const { cycles } = await house.until((state) => state.cycles[1].outcome !== '', 6);
  await house.to(house.now() + 6 * HOUR);
  return { at, rollout: rollout!, cycle: cycles[1], ledger: await house.control.ledger(house.world.model) };
}

it.each(Object.keys(reached))(
  'in %s ends the cycle as superseded',
  async (stage) => {
    const { at, rollout, cycle, ledger } = await moved(stage);
    if (stage === 'shadow') inShadow = { at, ledger };
    expect(rollout).toMatchObject({ champion: { version: 'v0' }, challenger: undefined, effective: new Date(at) });
    expect(rollout.reason).toBe(`promoted by hand: while in ${stage}`);
    expect(cycle).toMatchObject({ outcome: 'superseded', champion: 'v1' });
    expect(cycle.reasons[0]).toMatch(stage === 'shadow' || stage === 'canary' ? /v0 was promoted/ : /champion was v1/);
    expect((await house.control.rollout(house.world.model)).rollout!.champion!.version).toBe('v0');
    const later = house.world.happenings.flatMap((one) =>
      one.kind === 'question' && one.at > at && one.at <= house.now() ? [one.question.id] : [],
    );
    const answers = house.diary().answers();
    expect(later.length).toBeGreaterThan(20);
    expect(new Set(later.map((id) => answers.get(id!)?.version))).toEqual(new Set(['v0']));
    expect(verifyLedger(ledger)).toMatchObject({ whole: true });
    const byHand = ledger.entries.filter(({ decision }) => decision!.reasons[0] === 'promoted by hand');
    expect(byHand.map(({ decision }) => [decision!.kind, decision!.outcome, decision!.eventTime])).toEqual([
      ['alias', 'promoted', new Date(at)],
    ]);
    expect(JSON.stringify(ledger)).not.toContain('while in');
  },
  180_000,
);

it('gives the same ledger when the same is commanded at the same time', async () => {
  const first = inShadow ?? (await moved('shadow'));
  if (!inShadow) await house.close();
  const second = await moved('shadow');
  expect(second.at).toBe(first.at);
  expect(second.ledger).toEqual(first.ledger);
}, 240_000);
