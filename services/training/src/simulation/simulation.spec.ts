/** Simulations through training's door, on the real embedded ground. */
import { type SimulateProgress, type SimulateReport, SimulateRequest } from '@driftloop/contracts';
import { callStream } from '@driftloop/service';
import { house as openHouse } from '../testing/house.js';
import { type DatasetOptions, parcels } from '../testing/training.js';

jest.setTimeout(240_000);

/** 60 days; from the 35th on jams mean the opposite. */
const world: DatasetOptions = {
  rows: 3000,
  perDay: 50,
  probability: 'CASE WHEN i < 1750 THEN 0.1 + 0.8 * jam ELSE 0.9 - 0.8 * jam END',
};
const spec = parcels(
  ['trees: 40', 'trees: 6'],
  ['search: { trials: 3, rows: 2000 }', 'search: { trials: 0 }'],
  ['minRows: 400', 'minRows: 150'],
);
Object.assign(spec.spec.retraining, { cooldown: '4d', minFreshLabels: 200 });

// One house for all: what one simulation trained, the next finds.
let opened: Awaited<ReturnType<typeof openHouse>>;
beforeAll(async () => {
  opened = await openHouse({ spec, data: world });
});
afterAll(() => opened.close());

async function simulated(changes: Partial<SimulateRequest> = {}, signal?: AbortSignal) {
  const heard: SimulateProgress[] = [];
  let report: SimulateReport | undefined;
  const request = SimulateRequest.fromPartial({ spec: JSON.stringify(spec), jitters: 3, seed: 1, ...changes });
  for await (const { part } of callStream(opened.client, opened.client.simulate, request, {
    deadlineMs: 60_000,
    signal,
  })) {
    if (part?.$case === 'progress') heard.push(part.value);
    if (part?.$case === 'report') report = part.value;
  }
  return { heard, report: report as SimulateReport };
}

const byName = ({ policies }: SimulateReport) => Object.fromEntries(policies.map((policy) => [policy.name, policy]));

describe('a simulation', () => {
  it('reports the policy beside schedules with as many trainings, telling how far it is', async () => {
    const { heard, report } = await simulated();
    expect(report).toMatchObject({ model: 'parcels', jitters: 3 });
    const { policy, calendar, random, frozen } = byName(report);
    expect(policy.trainings).toBeGreaterThan(1);
    // One that falls due while another is still open at the end of history does not begin.
    expect(Math.abs(calendar.trainings - policy.trainings)).toBeLessThanOrEqual(1);
    expect(Math.abs(random.trainings - policy.trainings)).toBeLessThanOrEqual(1);
    expect(report.trained).toBeGreaterThan(3);
    expect(frozen).toMatchObject({ trainings: 1, promoted: 1, refused: 0 });
    // The world turns round: who never learns again is worse.
    expect(frozen.difference).toBeGreaterThan(0.01);
    expect(frozen.difference).toBeCloseTo(frozen.logLoss - policy.logLoss, 12);
    expect(policy.logLossLow).toBeLessThan(policy.logLoss);
    expect(new Set(heard.map(({ what }) => what))).toEqual(new Set(['history', 'models', 'starts']));
    expect(heard.filter(({ what }) => what === 'starts').map(({ done }) => done)).toEqual([1, 2, 3]);
  });

  it('trains nothing twice, and gives the same table again', async () => {
    const first = await simulated();
    const second = await simulated();
    expect(second.report).toMatchObject({ trained: 0, cached: first.report.trained + first.report.cached });
    expect(second.report.policies).toEqual(first.report.policies);
  });

  it('trains little anew for another policy, and all of it for another recipe', async () => {
    const first = await simulated();
    const other = structuredClone(spec);
    other.spec.retraining.any = [{ growth: { atLeast: 9 } }];
    const { report } = await simulated({ spec: JSON.stringify(other) });
    expect(byName(report).policy.trainings).toBeLessThan(byName(first.report).policy.trainings);
    expect(report.cached).toBeGreaterThan(report.trained);
    const larger = structuredClone(spec);
    larger.spec.training.parameters.trees = 7;
    expect((await simulated({ spec: JSON.stringify(larger), jitters: 2 })).report.cached).toBe(0);
  });

  it('is one at a time: a second is refused at once, and the next is taken after a caller hung up', async () => {
    const gone = new AbortController();
    const running = simulated({}, gone.signal);
    const ended = expect(running).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expect(simulated()).rejects.toMatchObject({ code: 'SIMULATION_BUSY', retriable: true });
    gone.abort();
    await ended;
    for (let tries = 0; ; tries++)
      try {
        expect((await simulated()).report.jitters).toBe(3);
        break;
      } catch (error) {
        if ((error as { code: string }).code !== 'SIMULATION_BUSY' || tries > 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
  });

  it('touches nothing of the running system: no job, no event, no artifact', async () => {
    await simulated();
    expect(await opened.heard({ topic: 'model.trained', payload: { fromJSON: (o) => o } })).toEqual([]);
    expect((await opened.objects.list('main/')).map(({ key }) => key.split('/')[1])).toEqual(
      expect.not.arrayContaining(['training']),
    );
    expect((await opened.objects.list('main/models/')).length).toBe(1);
  });

  it.each([
    ['a spec that is none', { spec: 'kind: Model' }, 'SPEC_INVALID'],
    ['a model that nobody declared', { spec: JSON.stringify(spec).replace('"parcels"', '"letters"') }, 'SPEC_UNKNOWN'],
    ['one start only', { jitters: 1 }, 'JITTERS_INVALID'],
    ['starts that leave too few days', { jitters: 40 }, 'HISTORY_TOO_SHORT'],
  ])('refuses %s', async (_what, changes, code) => {
    await expect(simulated(changes)).rejects.toMatchObject({ code });
  });
});
