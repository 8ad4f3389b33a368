/** Clocks that stand still, repeat, go back or jump; rows and labels that come after their time. */
import { events, Stage } from '@driftloop/contracts';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { DocumentsOf, day, hour, parcelsOf, start } from './testing/world.js';

let world: LoopWorld;
beforeEach(async () => {
  world = await openLoop();
});
afterEach(() => world.close());

describe('the clock', () => {
  /** Published as it is, whatever ticks have been. */
  const bare = async (now: number, previous: number, id = `bare-${now}-${previous}`) => {
    await world.bus.settled();
    const tick = { now: new Date(now), previous: new Date(previous), replay: true };
    await world.tell(events.timePassed, tick, now, id);
    await world.bus.settled();
  };

  it('is ignored where it goes back', async () => {
    await world.live(start);
    await world.live(start + day);
    const before = { status: await world.status(), ledger: await world.ledger() };
    await world.ask(parcelsOf(start - 3 * day, 20)); // an older tick would take these days for new
    await bare(start - day, start - 2 * day);
    expect({ status: await world.status(), ledger: await world.ledger() }).toEqual(before);
    const clock = await world.service.app.get(DocumentsOf.loop).clock();
    expect(clock).toMatchObject({ now: start + day + 12 * hour, previous: start + day + 6 * hour });
  });

  it('does nothing more where it repeats', async () => {
    await world.untilOpened(start);
    const now = (await world.service.app.get(DocumentsOf.loop).clock())!;
    const before = await world.ledger();
    await bare(now.now, now.previous!, 'again');
    await bare(now.now, now.previous!, 'and again');
    expect(await world.requested()).toHaveLength(1);
    expect(await world.ledger()).toEqual(before);
  });

  it('closes every day that a jump has passed over, in order, as each would have been closed', async () => {
    const days = Array.from({ length: 6 }, (_, i) => start + i * day);
    for (const cohort of days) {
      await world.ask(parcelsOf(cohort, 30));
      await world.label(parcelsOf(cohort, 30).slice(0, 20));
      await world.label(parcelsOf(cohort, 30).slice(20), 40 * hour); // after closing, before censoring
    }
    await world.tick(start);
    await world.tick(start + 20 * day);
    const { days: closed } = await world.status();
    expect(closed.slice(0, 7).map(({ labelled, predictions }) => [predictions, labelled])).toEqual([
      ...days.map(() => [30, 20]),
      [0, 0],
    ]);
  });

  it('expires what a jump has outlived, once, and goes on', async () => {
    const { request, next } = await world.untilOpened(start);
    await world.tick(next + 40 * day);
    expect(await world.closed()).toMatchObject([{ cycleId: request.cycleId, outcome: 'expired' }]);
    // what comes of it later changes nothing
    await world.trained(next + 40 * day, request.cycleId);
    await world.tick(next + 40 * day + hour);
    await world.tick(next + 40 * day + 2 * hour);
    expect(await world.closed()).toHaveLength(1);
    await world.untilOpened(next + 41 * day);
    expect(await world.requested()).toHaveLength(2);
  });

  it('judges by the days that closed, not by the deadline, where a jump has passed both', async () => {
    const { cycleId, next } = await world.untilShadow(start);
    for (let i = 0; i < 20; i++) {
      const parcels = parcelsOf(next + i * day, 40);
      await world.ask(parcels, { shadows: { v2: ({ p }) => p } });
      await world.label(parcels);
    }
    await world.tick(next + 60 * day);
    expect(await world.judged()).toMatchObject([{ cycleId, stage: Stage.SHADOW, verdict: 'VERDICT_ADVANCE' }]);
  });
});

describe('deadlines', () => {
  it.each([
    ['training', '2d', 2 * day],
    ['gate', '1d', day],
    ['shadow', '32d', 32 * day],
    ['canary', '6d', 6 * day],
  ] as const)('end %s after %s with a reason, and withdraw what is on trial', async (stage, _words, length) => {
    const { request, next } = await world.untilOpened(start);
    const { cycleId } = request;
    const began = stage === 'training' ? request.knowledgeCutoff!.getTime() : next;
    const reach = { training: 0, gate: 1, shadow: 2, canary: 3 }[stage];
    if (reach > 0) await world.trained(next, cycleId);
    if (reach > 1) {
      await world.approve(next, cycleId, 'v2');
      await world.trial(next, cycleId, reach > 2 ? Stage.CANARY : Stage.SHADOW);
    }
    await world.tick(next);
    await world.tick(next + hour);
    expect((await world.cycles())[0].stage).toBe(stage);
    await world.tick(began + length - 1);
    expect(await world.closed()).toEqual([]);
    await world.tick(began + length);
    expect(await world.closed()).toMatchObject([{ outcome: 'expired', closed: new Date(began + length) }]);
    const [cycle] = await world.cycles();
    expect(cycle.reasons[0]).toBe(`${stage} was not over by ${new Date(began + length).toISOString()}`);
    const words = (await world.judged()).map(({ verdict, rolloutId }) => [verdict, rolloutId]);
    // the judge's own limit, 28 days, comes before the deadline of shadow
    const times = { training: 0, gate: 0, shadow: 2, canary: 1 }[stage];
    expect(words).toEqual(Array(times).fill(['VERDICT_ROLL_BACK', `${cycleId}/v2`]));
    if (stage === 'canary') expect(cycle.reasons[1]).toBe('0 canary requests, fewer than 5');
    if (stage === 'shadow') expect(cycle.reasons[1]).toBe('its judgement was not acted on');
  });
});

describe('what comes too late', () => {
  it('is a prediction of a closed day: counted with the day, in no figure', async () => {
    const parcels = parcelsOf(start, 30);
    await world.ask(parcels.slice(0, 20));
    await world.label(parcels);
    await world.tick(start + 2 * day);
    const figures = (await world.status()).days[0];
    await world.ask(parcels.slice(20, 26)); // closed, not yet censored
    await world.tick(start + 3 * day);
    expect((await world.status()).days[0]).toEqual({ ...figures, late: 6 });
    await world.ask(parcels.slice(26)); // censored
    await world.pass(start + 3 * day, start + 5 * day);
    expect((await world.status()).days[0]).toEqual({ ...figures, late: 10 });
    expect(await world.service.app.get(DocumentsOf.rows).predictions.countDocuments()).toBe(0);
  });

  it('is a label after the day was censored: counted for growth, in no verdict, and the wait stays ended', async () => {
    const parcels = parcelsOf(start, 30);
    await world.ask(parcels);
    await world.label(parcels.slice(0, 24));
    await world.tick(start + 3 * day);
    const { days, freshLabels } = await world.status();
    expect(days[0]).toMatchObject({ labelled: 24, censored: 6 });
    await world.label(parcels.slice(24), 4 * day);
    await world.pass(start + 3 * day, start + 6 * day);
    const status = await world.status();
    expect(status.days[0]).toEqual(days[0]);
    expect(status.freshLabels).toBe(freshLabels + 6);
  });

  it('never makes a missing label a negative one', async () => {
    const parcels = parcelsOf(start, 30);
    await world.ask(parcels);
    await world.label(parcels.filter(({ y }) => y));
    await world.tick(start + 4 * day);
    const [first] = (await world.status()).days;
    const late = parcels.filter(({ y }) => y).length;
    expect(first).toMatchObject({ labelled: late, censored: 30 - late });
    for (const { rows } of first.versions) expect(rows).toBe(late);
  });
});
