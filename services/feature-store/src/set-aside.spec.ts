/** A home in which one model cannot be opened: it is set aside aloud, every other one opens and answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FeatureStoreDocuments } from './feature-store.documents.js';
import { askedAt, declared, departures, labels, scheduleRows, specJson } from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';

const home = mkdtempSync(join(tmpdir(), 'driftloop-features-spec-'));
const flights = departures('2013-03-08', '2013-03-09');
const lines: string[] = [];
let store: Running;
beforeAll(async () => {
  store = await runFeatureStore({ home });
  await store.declare(declared());
  await store.ingest('flights', [{ source: 'schedule', rows: scheduleRows(flights) }]);
  // As an earlier release has kept it.
  const bricked = { tenant: 'main', model: 'bricked', revision: 1, specJson: '{"spec":"of no release"}' };
  await store.service.app.get(FeatureStoreDocuments).specs.create({ _id: 'main/bricked/1', ...bricked });
  await store.close();
  store = await runFeatureStore({ home, logLines: { write: (line) => lines.push(line) } });
});
afterAll(async () => {
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const questions = flights.slice(0, 3).map((d) => ({ entityId: d.flight_id, time: askedAt(d) }));

it('starts, answers for the others, and refuses for the model that is set aside', async () => {
  expect((await store.read('flights', questions)).rows).toHaveLength(3);
  const refusal = { code: 'MODEL_SET_ASIDE', retriable: false, message: expect.stringContaining('SPEC_INVALID') };
  await expect(store.read('bricked', questions)).rejects.toMatchObject(refusal);
  await expect(store.ingest('bricked', [{ source: 'schedule', rows: [] }])).rejects.toMatchObject(refusal);
  const errors = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 50);
  expect(errors).toMatchObject([{ model: 'main/bricked', work: 'opening', failures: 1 }]);
});

it('holds up nobody else for labels of the model that is set aside', async () => {
  await store.label('bricked.late15', labels(flights));
  await store.label('flights.late15', labels(flights));
  const groups = (await store.bus.lag()).filter(({ group }) => group === 'feature-store.when-labels-added');
  expect(groups.map(({ lag, paused }) => [lag, paused])).toEqual(groups.map(() => [0, undefined]));
});

it('takes the model back where a spec is declared that opens', async () => {
  await store.declare(declared(specJson.replace('name: flights', 'name: bricked'), 2));
  expect((await store.read('bricked', questions)).rows).toHaveLength(3);
});

it('keeps no spec that cannot be opened', async () => {
  await store.declare({ ...declared(), model: 'other', revision: 1, specJson: '{"spec":"of no release"}' });
  expect(await store.service.app.get(FeatureStoreDocuments).spec('main', 'other', 1)).toBeNull();
});
