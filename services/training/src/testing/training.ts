/**
 * For specs: a small model, a training set made by SQL from hashes (the same every time), and the two services that
 * training asks, as bare gRPC servers.
 */

import {
  type BuildTrainingSetRequest,
  FeatureStoreService,
  type LoopError,
  type ModelSpec,
  type ModelTrained,
  parseModelSpec,
  RegistryService,
  TrainingSet,
  Version,
} from '@driftloop/contracts';
import { DuckDBInstance } from '@duckdb/node-api';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  type UntypedHandleCall,
} from '@grpc/grpc-js';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** First instant of the first day. */
export const START = Date.UTC(2030, 0, 1);

const text = `
apiVersion: driftloop/v1
kind: Model
metadata: { name: parcels }
spec:
  task: binary
  entity: { name: parcel, time: due_at }
  question: { lead: 1h }
  request:
    inputs: { depot: text, size: number, due_at: time }
    source: orders
  derived: { hour: { from: due_at, part: hourOfDay } }
  sources:
    orders: { columns: { depot: text, size: number } }
    roads: { columns: { jam: number, rain: number } }
  features:
    - input: depot
    - input: size
    - input: hour
    - { latest: roads, columns: [jam, rain], maxAge: 3h }
    - { window: outcomes, aggregate: mean, of: value, as: late, by: depot, over: [24h] }
  label: { name: late, closeAfter: 6h, censorAfter: 48h, prior: 0.3 }
  training:
    parameters: { trees: 40, learningRate: 0.1, leaves: 7, minRowsPerLeaf: 20 }
    search: { trials: 3, rows: 2000 }
  gate: { slices: [depot], sliceMinRows: 40, embargo: { minDays: 4, maxDays: 8, minRows: 400 } }
`;

/** The model, with changes to its spec's text. */
export function parcels(...changes: [from: string, to: string][]): ModelSpec {
  return parseModelSpec(changes.reduce((yaml, [from, to]) => yaml.replace(from, to), text));
}

export interface DatasetOptions {
  readonly rows?: number;
  readonly perDay?: number;
  /** SQL of the probability of label 1. */
  readonly probability?: string;
  /** SQL of the column `size`. */
  readonly size?: string;
}

/** One that is trained on for a second or more. */
export const longDataset: DatasetOptions = { rows: 24_000, perDay: 1000 };

const logit =
  "-1.2 + 2.5 * (jam - 0.5) + 0.8 * (rain IS NULL)::INT + (CASE WHEN depot IN ('d1', 'd4') THEN 0.9 ELSE 0 END)";

/** Writes a training set: depot 30 of them and some unknown, rain often missing, labels late by up to 5 h. */
export async function writeDataset(path: string, options: DatasetOptions = {}): Promise<void> {
  const { rows = 2400, perDay = 100, probability = `1 / (1 + exp(-(${logit})))`, size = 'u(i, 2) * 10' } = options;
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run('CREATE MACRO u(i, salt) AS (hash(i * 31 + salt) % 1000003) / 1000003.0');
  const cells = `SELECT i, (${START} + i * ${DAY / perDay})::BIGINT AS t,
      CASE WHEN u(i, 1) < 0.03 THEN '' ELSE 'd' || floor(u(i, 9) * u(i, 9) * 30)::INT END AS depot, ${size} AS size,
      u(i, 3) AS jam, CASE WHEN u(i, 4) < 0.3 THEN NULL ELSE u(i, 5) END AS rain, u(i, 6) AS late_by_depot_24h
    FROM range(${rows}) r(i)`;
  await connection.run(`COPY (
    SELECT 'p' || i AS entity_id, t AS entity_time, t - ${HOUR} AS question_time,
      t + ((1 + 5 * u(i, 7)) * ${HOUR})::BIGINT AS label_known_at, depot, size, (t // ${HOUR} % 24)::DOUBLE AS hour,
      jam, rain, late_by_depot_24h, (u(i, 8) < ${probability})::INT::DOUBLE AS label
    FROM (${cells}) ORDER BY i) TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
}

type Handler<Q, R> = (request: Q) => R | LoopError;

/** A unary handler of a bare server; an error is answered as the kit's services do. */
function answering<Q, R>(handler: Handler<Q, R>): UntypedHandleCall {
  return (call: ServerUnaryCall<Q, R>, done: sendUnaryData<R>) => {
    const answer = handler(call.request);
    if (answer instanceof Error) done({ code: 14, details: answer.message });
    else done(null, answer);
  };
}

/** Stands where the feature store and the registry stand; `close` it in the end. */
export async function neighbours(answers: {
  dataset: Handler<BuildTrainingSetRequest, Partial<TrainingSet>>;
  champion: () => Partial<Version>;
}): Promise<{ address: string; close(): void }> {
  const server = new Server();
  const rest = (service: object) => Object.fromEntries(Object.keys(service).map((name) => [name, () => {}]));
  server.addService(FeatureStoreService, {
    ...rest(FeatureStoreService),
    buildTrainingSet: answering((request: BuildTrainingSetRequest) => {
      const answer = answers.dataset(request);
      return answer instanceof Error ? answer : TrainingSet.fromPartial(answer);
    }),
  });
  server.addService(RegistryService, {
    ...rest(RegistryService),
    getVersion: answering(() => Version.fromPartial(answers.champion())),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

/** A candidate as two runs must agree on it: spans tell how long things took, which they need not. */
export const withoutWallTimes = (trained: ModelTrained): ModelTrained => ({
  ...trained,
  spans: trained.spans.map((span) => ({ ...span, started: undefined, ended: undefined })),
});
