/** A feature store that runs, for specs: declare, ingest, label, read and join through its own doors. */
import {
  entityBucket,
  events,
  FeatureStoreClient,
  FileDescription,
  type IngestReply,
  type Label,
  type LabelsAdded,
  labelBuckets,
  type ModelDeclared,
  type QuarantineWindow,
  type SourceRow,
  type TrainingSet,
} from '@driftloop/contracts';
import { call, errorKey, grpcClient } from '@driftloop/service';
import { type TestOptions, testService } from '@driftloop/testing/service';
import { DuckDBInstance } from '@duckdb/node-api';
import type { ServiceError } from '@grpc/grpc-js';
import { featureStore } from '../feature-store.module.js';

/** A stream's failure carries the typed error in its trailing metadata. */
const typed = ({ metadata }: ServiceError) => JSON.parse(String(metadata.get(errorKey)[0]));

export type Running = Awaited<ReturnType<typeof runFeatureStore>>;

let published = 0;

export async function runFeatureStore(options: TestOptions = {}) {
  const service = await testService(featureStore, options);
  const client = grpcClient(FeatureStoreClient, `127.0.0.1:${service.port}`);
  const { bus, objects } = service.ground;

  const publish = async (name: 'labelsAdded' | 'modelDeclared', payloads: (LabelsAdded | ModelDeclared)[]) => {
    const { topic, key, payload: codec } = events[name];
    const outgoing = payloads.map((payload) => ({
      ...{ id: `spec-${++published}`, topic, key: key(payload as never), time: 0, source: 'spec' },
      data: codec.toJSON(payload as never),
    }));
    await bus.publish(outgoing);
    await bus.settled();
  };

  return {
    service,
    client,
    bus,
    objects,
    declare: (payload: ModelDeclared) => publish('modelDeclared', [payload]),
    /** Labels as labeling sends them: a batch a bucket, the watermark in every one. */
    label: (name: string, labels: readonly Label[], watermark?: Date) =>
      publish(
        'labelsAdded',
        Array.from({ length: labelBuckets }, (_, bucket) => ({
          ...{ tenant: 'main', label: name, watermark, bucket },
          labels: labels.filter(({ entityId }) => entityBucket(entityId, labelBuckets) === bucket),
        })),
      ),
    /** Sends batches on one stream; resolves with their acknowledgements. */
    ingest: (model: string, batches: { source: string; rows: SourceRow[]; watermark?: Date }[]) =>
      new Promise<IngestReply[]>((resolve, reject) => {
        const stream = client.ingest();
        const replies: IngestReply[] = [];
        stream.on('data', (reply: IngestReply) => replies.push(reply));
        stream.on('end', () => resolve(replies));
        stream.on('error', (error: ServiceError) => reject(typed(error)));
        for (const { source, rows, watermark } of batches) stream.write({ model, source, rows, watermark });
        stream.end();
      }),
    ingestFile: (description: Partial<FileDescription>, bytes: Buffer) =>
      new Promise<IngestReply>((resolve, reject) => {
        const stream = client.ingestFile((error, reply) => (error ? reject(typed(error)) : resolve(reply)));
        stream.write({ part: { $case: 'description', value: FileDescription.fromPartial(description) } });
        for (let at = 0; at < bytes.length; at += 65_536) {
          stream.write({ part: { $case: 'chunk', value: bytes.subarray(at, at + 65_536) } });
        }
        stream.end();
      }),
    read: (model: string, questions: { entityId: string; time: number }[], deadlineMs = 0) =>
      call(client, 'readOnline', {
        model,
        deadlineMs,
        questions: questions.map(({ entityId, time }) => ({ entityId, eventTime: new Date(time), inputs: {} })),
      }),
    build: (model: string, cutoff: string, specRevision = 0, excluded: QuarantineWindow[] = []): Promise<TrainingSet> =>
      call(
        client,
        'buildTrainingSet',
        { model, specRevision, knowledgeCutoff: new Date(cutoff), excluded, specJson: '' },
        { deadlineMs: 60_000 },
      ),
    /** The rows of a training set, times as epoch ms. */
    rowsOf: async ({ uri }: TrainingSet) => {
      const path = await objects.getFile(uri);
      const connection = await (await DuckDBInstance.create()).connect();
      const times = ['entity_time', 'question_time', 'cohort', 'label_known_at'].map(
        (c) => `epoch_ms(${c})::DOUBLE AS ${c}`,
      );
      const sql = `SELECT * REPLACE (${times.join(', ')}) FROM '${path}' ORDER BY question_time, entity_id`;
      return (await connection.runAndReadAll(sql)).getRowObjectsJS() as Record<string, number | string | null>[];
    },
    close: async () => {
      client.close();
      await service.close();
    },
  };
}
