/** Training as its neighbours see it: events in, events out, on the real embedded ground. */

import { events, type LoopError, type ModelTrained, type TrainingFailed } from '@driftloop/contracts';
import { inspectGraph } from '@driftloop/onnx';
import { call } from '@driftloop/service';
import { CUTOFF, type House, house as openHouse } from './testing/house.js';
import { DAY, HOUR, parcels, START, withoutWallTimes } from './testing/training.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function house(options: House = {}) {
  const opened = await openHouse(options);
  open.push(opened);
  return opened;
}

const due = CUTOFF + 6 * HOUR;

jest.setTimeout(60_000);

describe('a training', () => {
  it('becomes a candidate with all that the gate needs, told at its due time', async () => {
    const { request, tick, heard, objects, client } = await house();
    await request();
    await tick(due - HOUR);
    expect(await heard(events.modelTrained)).toEqual([]);
    await tick(due);
    const [{ payload: trained, time }] = await heard(events.modelTrained);
    expect(time).toBe(due);
    expect(trained).toMatchObject({ cycleId: 'c1', champion: 'v0', rolloutRevision: 3, eventTime: new Date(due) });
    const bytes = await objects.get(trained.released!.uri, trained.released!.sha256);
    expect(inspectGraph(bytes).inputs.map(({ name }) => name)).toContain('late_by_depot_24h');
    expect(trained.twin!.sha256).not.toBe(trained.released!.sha256);
    expect(trained.graphError).toBeLessThan(1e-9);
    checkFigures(trained);
    const { jobs } = await call(client, 'listJobs', { model: 'parcels' });
    expect(jobs).toMatchObject([{ state: 'reported', cycleId: 'c1', attempt: 1, error: '' }]);
    expect(jobs[0].seconds).toBeGreaterThan(0);
    expect(await objects.list('main/training/')).toEqual([]);
  });

  it('gives the same bytes and figures for the same set, spec and seed', async () => {
    const results: ModelTrained[] = [];
    for (let run = 0; run < 2; run++) {
      const { request, tick, heard } = await house();
      await request();
      await tick(due);
      results.push((await heard(events.modelTrained))[0].payload);
    }
    expect(withoutWallTimes(results[0])).toEqual(withoutWallTimes(results[1]));
  });

  it('is one job and one outcome, however often it is requested and the time passes', async () => {
    const { request, tick, heard, client } = await house();
    await request();
    await request();
    await tick(due);
    await tick(due + HOUR);
    await request();
    await tick(due + 2 * HOUR);
    expect(await heard(events.modelTrained)).toHaveLength(1);
    expect((await call(client, 'listJobs', { model: 'parcels' })).jobs).toHaveLength(1);
  });

  it('runs a champion’s recipe again instead of searching anew', async () => {
    const { request, tick, heard, champion } = await house();
    await request();
    await tick(due);
    const [{ payload: first }] = await heard(events.modelTrained);
    const recipe = JSON.parse(first.lineage!.recipeJson);
    expect(recipe.trials).toHaveLength(3);
    const parameters = { ...recipe.parameters, trees: 17 };
    champion.version = 'v1';
    champion.lineage = {
      ...first.lineage!,
      recipeJson: JSON.stringify({ ...recipe, parameters }),
      knowledgeCutoff: new Date(START + 10 * DAY),
    };
    await request({ cycleId: 'c2', champion: 'v1', purpose: 'retrain' });
    await tick(due + DAY);
    const [, { payload: second }] = await heard(events.modelTrained);
    expect(JSON.parse(second.lineage!.recipeJson)).toMatchObject({ parameters: { trees: 17 }, trials: recipe.trials });
  });

  it('asks a feature store that is away again, and goes on when it is back', async () => {
    const away = new Error('away');
    const { request, tick, heard, asked } = await house({ refusals: [away, away] });
    await request();
    await tick(due);
    expect(asked()).toBe(3);
    expect(await heard(events.modelTrained)).toHaveLength(1);
  });

  it('live, lets time go on and tells of the outcome at a later tick', async () => {
    const { request, tick, heard, client } = await house();
    await request();
    await tick(due, false);
    for (let state = ''; state !== 'finished' && state !== 'reported'; )
      [{ state }] = (await call(client, 'listJobs', { model: '' })).jobs;
    await tick(due + HOUR, false);
    expect((await heard(events.modelTrained)).map(({ time }) => time)).toEqual([due]);
  });
});

function checkFigures({ metrics, comparison, reference, lineage }: ModelTrained) {
  const value = Object.fromEntries(metrics.map((metric) => [metric.name, metric.value]));
  expect(Object.keys(value).sort()).toEqual(
    ['accuracy', 'auc', 'brier', 'ece', 'f1', 'log_loss', 'precision', 'recall', 'rows'].sort(),
  );
  expect(value.auc).toBeGreaterThan(0.6);
  const { days, slices, features } = comparison!;
  const rows = days.reduce((sum, day) => sum + day.rows, 0);
  expect(rows).toBe(value.rows);
  expect(rows).toBe(400);
  expect(days.map(({ day }) => day!.getTime())).toEqual([20, 21, 22, 23].map((day) => START + day * DAY));
  expect(lineage!.embargoStart).toEqual(new Date(START + 20 * DAY));
  for (const day of days) expect(day.lossDifferenceNano).toBe(day.championLossNano - day.challengerLossNano);
  expect(days.reduce((sum, day) => sum + day.lossDifferenceNano, 0)).toBeGreaterThan(0);
  expect(slices.map(({ slice }) => slice)).toContain('depot=d0');
  expect(features.map(({ feature }) => feature)).toEqual(['depot', 'size', 'hour', 'jam', 'rain', 'late_by_depot_24h']);
  const jam = features.find(({ feature }) => feature === 'jam')!;
  expect(jam.auc).toBeGreaterThan(0.55);
  expect(features.reduce((sum, { gainShare }) => sum + gainShare, 0)).toBeCloseTo(1, 9);
  expect(Object.keys(JSON.parse(reference!.histogramsJson)).sort()).toEqual(
    ['depot', 'hour', 'jam', 'late_by_depot_24h', 'prediction', 'rain', 'size'].sort(),
  );
  expect(reference).toMatchObject({ rows, auc: value.auc, logLoss: value.log_loss });
}

describe('a training that cannot give a candidate', () => {
  it.each<[string, string, House, RegExp]>([
    [
      'the closed days hold too few rows',
      'INSUFFICIENT_DATA',
      { spec: parcels(['minRows: 400', 'minRows: 4000']) },
      /800 labelled rows on 8 closed days/,
    ],
    ['nothing is left before the embargo', 'INSUFFICIENT_DATA', { data: { rows: 500 } }, /needed/],
    ['all labels are alike', 'ONE_CLASS', { data: { probability: '-1.0' } }, /are 0/],
    ['a cell is beyond float32', 'BAD_INPUT', { data: { size: 'CASE WHEN i = 7 THEN 1e39 ELSE 1.0 END' } }, /size/],
  ])('says why: %s', async (_what, code, options, reason) => {
    const { request, tick, heard, client } = await house(options);
    await request();
    await tick(due);
    expect(await heard(events.modelTrained)).toEqual([]);
    const [{ payload: failed, time }] = await heard<TrainingFailed>(events.trainingFailed);
    expect(failed).toMatchObject({ code, cycleId: 'c1', eventTime: new Date(due) });
    expect(failed.reason).toMatch(reason);
    expect(time).toBe(due);
    const { jobs } = await call(client, 'listJobs', { model: 'parcels' });
    expect(jobs).toMatchObject([{ state: 'failed', error: expect.stringContaining(code) }]);
  });

  it('says that the training set is not what it must be', async () => {
    const { request, tick, heard, objects } = await house();
    await objects.put('main/datasets/set.parquet', new TextEncoder().encode('no parquet'));
    await request();
    await tick(due);
    expect((await heard(events.trainingFailed))[0].payload).toMatchObject({ code: 'DATASET_INVALID' });
  });

  it('is given up live when its deadline passes, and a late result is not told', async () => {
    const away = new Error('away');
    const { request, tick, heard } = await house({ refusals: new Array(4).fill(away) });
    await request();
    await tick(CUTOFF + 3 * DAY, false);
    const [{ payload: failed, time }] = await heard<TrainingFailed>(events.trainingFailed);
    expect(failed.code).toBe('DEADLINE_PASSED');
    expect(time).toBe(CUTOFF + 2 * DAY);
    await tick(CUTOFF + 4 * DAY);
    expect(await heard(events.modelTrained)).toEqual([]);
    expect(await heard(events.trainingFailed)).toHaveLength(1);
  });
});

describe('questions about jobs', () => {
  it('refuses a job that is not there', async () => {
    const { client } = await house();
    const error = await call(client, 'getJob', { jobId: 'nobody' }).catch((thrown: LoopError) => thrown);
    expect(error).toMatchObject({ code: 'UNKNOWN_JOB', status: 'NOT_FOUND' });
  });
});
