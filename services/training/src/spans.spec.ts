/** A training's steps in its cycle's trace. */
import { type CycleSpan, events, type ModelTrained, type TrainingFailed } from '@driftloop/contracts';
import { call, cycleTraceId } from '@driftloop/service';
import { CUTOFF, type House, house as openHouse } from './testing/house.js';
import { HOUR } from './testing/training.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});
jest.setTimeout(60_000);

const due = CUTOFF + 6 * HOUR;

async function ended<T extends { spans: CycleSpan[] }>(
  definition: { topic: string; payload: { fromJSON(o: unknown): T } },
  options: House = {},
): Promise<T & { client: Awaited<ReturnType<typeof openHouse>>['client'] }> {
  const house = await openHouse(options);
  open.push(house);
  await house.request();
  await house.tick(due);
  const [{ payload }] = await house.heard(definition);
  return { ...payload, client: house.client };
}

it('are told with the candidate: the training, and below it its parts, in order', async () => {
  const { spans } = await ended<ModelTrained>(events.modelTrained);
  expect(spans.map(({ name }) => name)).toEqual(['training', 'dataset', 'search', 'train', 'export']);
  const [training, ...parts] = spans;
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([cycleTraceId('c1')]));
  expect(new Set(parts.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([training.spanId]));
  expect(spans.map(({ service, error }) => [service, error])).toEqual(Array(5).fill(['training', '']));
  for (const { started, ended: end } of parts) {
    expect(started!.getTime()).toBeGreaterThanOrEqual(training.started!.getTime());
    expect(end!.getTime()).toBeLessThanOrEqual(training.ended!.getTime());
  }
  expect(training.attributes).toMatchObject({ 'driftloop.purpose': 'bootstrap', 'driftloop.dataset.rows': '2400' });
  expect(parts[1].attributes['driftloop.search.trials']).toMatch(/^\d+$/);
  expect(parts[3].attributes['driftloop.artifact.sha256']).toMatch(/^[0-9a-f]{64}$/);
});

it('are told with a failure: what was done, and what went wrong', async () => {
  const { spans } = await ended<TrainingFailed>(events.trainingFailed, { data: { probability: '-1.0' } });
  expect(spans.map(({ name }) => name)).toEqual(['training', 'dataset']);
  expect(spans[0].error).toMatch(/^ONE_CLASS: /);
  expect(spans[1].error).toBe('');
});

it('the jobs of a model that is not declared are an error, those of one without jobs none', async () => {
  const { client } = await ended<ModelTrained>(events.modelTrained);
  const unknown = call(client, 'listJobs', { model: 'boxes' });
  await expect(unknown).rejects.toMatchObject({ code: 'UNKNOWN_MODEL', status: 'NOT_FOUND' });
  expect((await call(client, 'listJobs', { model: 'parcels' })).jobs).toHaveLength(1);
});
