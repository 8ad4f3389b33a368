/** For specs: training on the real embedded ground, with neighbours that answer, a declared model and a training set. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  canonicalSpec,
  events,
  type LoopError,
  ModelDeclared,
  type ModelSpec,
  RetrainingRequested,
  TimePassed,
  TrainingClient,
  type Version,
} from '@driftloop/contracts';
import { constantPriorGraph } from '@driftloop/onnx';
import { grpcClient, openEmbeddedStore } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';
import { training } from '../index.js';
import { DAY, type DatasetOptions, HOUR, neighbours, parcels, START, writeDataset } from './training.js';

/** What is known when the training is requested. */
export const CUTOFF = START + 24.5 * DAY;

export interface House {
  spec?: ModelSpec;
  data?: DatasetOptions;
  /** Answers of the feature store before the real one. */
  refusals?: (LoopError | Error)[];
  /** A home that outlives the service. */
  home?: string;
}

/** A running training service with all that it asks, and hands to work it with; `close` it in the end. */
export async function house({ spec = parcels(), data, refusals = [], home }: House = {}) {
  const place = home ?? mkdtempSync(join(tmpdir(), 'driftloop-training-'));
  const store = await openEmbeddedStore(place);
  const { bus, objects, addresses } = store;
  const path = join(place, 'set.parquet');
  await writeDataset(path, data);
  const set = await objects.putFile('main/datasets/set.parquet', path);
  const prior = await objects.put('main/models/parcels/v0.onnx', constantPriorGraph(spec));
  let asked = 0;
  const champion: Partial<Version> = {
    model: 'parcels',
    version: 'v0',
    released: { uri: prior.key, sha256: prior.sha256, bytes: prior.bytes },
  };
  const around = await neighbours({
    dataset: () => {
      asked++;
      return (refusals.shift() as LoopError) ?? { uri: set.key, sha256: set.sha256, rows: data?.rows ?? 2400 };
    },
    champion: () => champion,
  });
  // Before training starts: a job that an earlier process left is taken up at once.
  addresses.started('feature-store', around.address);
  addresses.started('registry', around.address);
  const service = await testService(training, { store, logLines: { write: () => {} } });
  let sent = 0;
  const publish = (
    definition: { topic: string; payload: { toJSON(m: never): unknown } },
    payload: object,
    time: number,
  ) =>
    bus.publish([
      {
        id: `e${sent++}`,
        topic: definition.topic,
        key: 'main/parcels',
        time,
        source: 'spec',
        data: definition.payload.toJSON(payload as never),
      },
    ]);
  const { json, sha256 } = canonicalSpec(spec);
  await publish(
    events.modelDeclared,
    ModelDeclared.fromPartial({ tenant: 'main', model: 'parcels', revision: 1, specJson: json, specSha256: sha256 }),
    START,
  );
  await bus.settled();
  const request = async (changes: Partial<RetrainingRequested> = {}) => {
    await publish(
      events.retrainingRequested,
      RetrainingRequested.fromPartial({
        tenant: 'main',
        model: 'parcels',
        cycleId: 'c1',
        champion: 'v0',
        rolloutRevision: 3,
        knowledgeCutoff: new Date(CUTOFF),
        due: new Date(CUTOFF + 6 * HOUR),
        purpose: 'bootstrap',
        attempt: 1,
        ...changes,
      }),
      CUTOFF,
    );
    await bus.settled();
  };
  const tick = async (time: number, replay = true) => {
    await publish(events.timePassed, TimePassed.fromPartial({ now: new Date(time), replay }), time);
    await bus.settled();
  };
  const heard = async <T>(definition: { topic: string; payload: { fromJSON(o: unknown): T } }) =>
    (await bus.read(definition.topic, 0, 0, 10)).map((event) => ({
      ...event,
      payload: definition.payload.fromJSON(event.data),
    }));
  const client = grpcClient(TrainingClient, `127.0.0.1:${service.port}`);
  const close = async () => {
    client.close();
    await service.close();
    around.close();
    await store.close();
    if (!home) rmSync(place, { recursive: true, force: true });
  };
  return { close, service, bus, objects, request, tick, heard, client, champion, asked: () => asked };
}
