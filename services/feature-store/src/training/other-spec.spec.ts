/** A training set with the features of a spec that is not declared: what a simulation asks for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BuildTrainingSetRequest } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import {
  arrivedRows,
  declared,
  departedRows,
  departures,
  flightsSpec,
  labels,
  scheduleRows,
  specJson,
} from '../testing/flights.js';
import { type Running, runFeatureStore } from '../testing/running.js';

const flights = departures('2013-03-08', '2013-03-10');

let home: string;
let store: Running;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-features-spec-'));
  store = await runFeatureStore({ home });
  await store.declare(declared());
  await store.ingest('flights', [
    { source: 'schedule', rows: scheduleRows(flights) },
    { source: 'departed', rows: departedRows(flights) },
    { source: 'arrived', rows: arrivedRows(flights) },
  ]);
  await store.label('flights.late15', labels(flights), new Date('2013-03-10T09:00:00Z'));
});
afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const built = (spec: string) =>
  call(
    store.client,
    'buildTrainingSet',
    BuildTrainingSetRequest.fromPartial({
      model: 'flights',
      knowledgeCutoff: new Date('2013-03-20T00:00:00Z'),
      specJson: spec,
    }),
  );

const changed = (change: (spec: { features: unknown[]; sources: Record<string, unknown> }) => void): string => {
  const whole = JSON.parse(JSON.stringify(flightsSpec));
  change(whole.spec);
  return JSON.stringify(whole);
};

it('has that spec’s features, over the same rows', async () => {
  const own = await store.build('flights', '2013-03-20');
  const other = await built(
    changed((spec) => {
      spec.features = [
        { input: 'carrier' },
        { window: 'departed', aggregate: 'mean', of: 'delay', as: 'shift', over: ['5h'] },
      ];
    }),
  );
  expect(other).toMatchObject({ rows: own.rows, numberFeatures: ['shift_5h'], textFeatures: ['carrier'] });
  expect((await store.build('flights', '2013-03-20')).sha256).toBe(own.sha256);
});

it('is the declared one’s where the features are the same', async () => {
  expect((await built(specJson)).sha256).toBe((await store.build('flights', '2013-03-20')).sha256);
});

it('refuses a source that the model has not declared', async () => {
  const rumours = changed((spec) => {
    spec.sources.rumours = { columns: { loud: 'number' } };
    spec.features.push({ latest: 'rumours', columns: ['loud'], maxAge: '1h' });
  });
  await expect(built(rumours)).rejects.toMatchObject({ code: 'UNKNOWN_SOURCE' });
});
