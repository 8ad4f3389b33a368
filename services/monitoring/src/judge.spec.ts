import { Stage } from '@driftloop/contracts';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { day, hour, type Parcel, specText, start } from './testing/world.js';

describe('the judge', () => {
  let world: LoopWorld;
  afterEach(() => world.close());

  /** Lives days with this challenger in shadow until the judge speaks; resolves to its word and the days it took. */
  const untilJudged = async (v2: (parcel: Parcel) => number, { spec = specText(), count = 40 } = {}) => {
    world = await openLoop({ spec });
    const answers = { shadows: { v2 }, count };
    const { cycleId, next } = await world.untilShadow(start, answers);
    let at = next;
    for (; !(await world.judged()).length; at += day) await world.live(at, answers);
    const [word] = await world.judged();
    return { word, cycleId, days: (at - next) / day, at };
  };

  it('advances a challenger that is as good as the champion, on whole days of both', async () => {
    const { word, days } = await untilJudged(({ p }) => p);
    expect(word).toMatchObject({ stage: Stage.SHADOW, verdict: 'VERDICT_ADVANCE' });
    const evidence = word.decision!.evidence.find(({ test }) => test === 'not worse by the margin')!;
    // the day that is being lived is not closed, and the day that the trial began in does not count
    expect(evidence).toMatchObject({ holds: true, threshold: 20, days, rows: 40 * days, subject: 'v2' });
  });

  it('rolls back a bad challenger, with the harm as evidence', async () => {
    const { word, cycleId, days } = await untilJudged(({ p }) => 1 - p);
    expect(word).toMatchObject({ verdict: 'VERDICT_ROLL_BACK', version: 'v2', cycleId });
    expect(word.decision!.reasons).toEqual([`worse than the champion over ${days} days`]);
    const harm = word.decision!.evidence.find(({ test }) => test === 'harm')!;
    expect(harm).toMatchObject({ holds: true, threshold: 100, rows: 40 * days });
    expect(word.decision!.evidence.find(({ test }) => test === 'gross harm')).toMatchObject({ rows: 0, holds: false });
  });

  it('stops gross harm on hourly blocks, in days, where they hold enough rows', async () => {
    const { word, days } = await untilJudged(({ p }) => 1 - p, { count: 160 });
    expect(word.decision!.reasons).toEqual(['gross harm in hourly blocks']);
    expect(days).toBeLessThanOrEqual(3);
  });

  it('speaks once on a stage', async () => {
    const { at } = await untilJudged(({ p }) => p);
    await world.live(at, { shadows: { v2: ({ p }) => p } });
    await world.live(at + day, { shadows: { v2: ({ p }) => p } });
    expect(await world.judged()).toHaveLength(1);
  });

  it('rolls back a challenger that answers too few of the rows', async () => {
    const spec = specText({ rollout: { shadow: { maxDays: 12 } }, retraining: { minFreshLabels: 100 } });
    const answersHalf = ({ p, time }: Parcel) => (Math.floor(time / hour) % 2 ? p : Number.NaN);
    const { word } = await untilJudged(answersHalf, { spec });
    expect(word.verdict).toBe('VERDICT_ROLL_BACK');
    expect(word.decision!.reasons[0]).toMatch(/answered only 5\d\.\d% of the rows/);
  });
});

describe('the canary', () => {
  let world: LoopWorld;
  afterEach(() => world.close());

  it('rolls back at once a challenger that fails', async () => {
    world = await openLoop();
    const { cycleId, next } = await world.untilShadow(start);
    await world.trial(next - 12 * hour, cycleId, Stage.CANARY);
    await world.live(next);
    expect(await world.judged()).toEqual([]);
    await world.ask(
      Array.from({ length: 12 }, (_, i) => ({ id: `c${i}`, time: next + day, weight: 1, p: 0.3, y: 0 as const })),
      { canary: true, error: 'GRAPH_FAILED' },
    );
    await world.tick(next + 13 * hour);
    expect(await world.judged()).toEqual([]); // asked at a time that has not come
    await world.tick(next + day);
    const [word] = await world.judged();
    expect(word).toMatchObject({ stage: Stage.CANARY, verdict: 'VERDICT_ROLL_BACK' });
    expect(word.decision!.evidence[0]).toMatchObject({ test: 'error rate', holds: true, rows: 12 });
  });
});
