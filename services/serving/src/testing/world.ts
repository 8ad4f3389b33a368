/** For specs: serving on a real embedded ground, a plain client, graphs in the object store, what was logged. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  canonicalSpec,
  type EventDefinition,
  events,
  featureColumns,
  inference,
  type ModelSpec,
  type Prediction,
  type PredictionsMade,
  parseModelSpec,
  Rollout,
  RolloutChanged,
  type RolloutFailed,
  type ServedVersion,
  Stage,
} from '@driftloop/contracts';
import { constantPriorGraph } from '@driftloop/onnx';
import { type Ground, type RunningService } from '@driftloop/service';
import { type TestOptions, testService } from '@driftloop/testing/service';
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { serving } from '../serving.module.js';

export type Reply = inference.ModelInferResponse;
type Request = inference.ModelInferRequest;
type Tensor = inference.ModelInferRequest_InferInputTensor;
type Client = inference.GRPCInferenceServiceClient;

export const flights = parseModelSpec(readFileSync('examples/flights/model.yaml', 'utf8'));
export const replayToken = 'a-replay-token-of-the-specs';
export const day = (n: number): Date => new Date(Date.UTC(2013, 1, n));

/** A graph that answers with one probability. */
export function graphOf(probability: number, spec: ModelSpec = flights): Uint8Array {
  const own = structuredClone(spec);
  own.spec.label.prior = probability;
  return constantPriorGraph(own);
}

/** A graph that answers NaN: the bytes of its constant are replaced. */
export function graphOfNaN(): Uint8Array {
  const [marked, bytes] = [0.123456789, Buffer.from(graphOf(0.123456789))];
  const constant = Buffer.alloc(8);
  constant.writeDoubleLE(marked);
  bytes.writeDoubleLE(Number.NaN, bytes.indexOf(constant));
  return bytes;
}

/** A graph, as protobuf by hand, with a tensor whose data lies in another file: graph { node {}, initializer { … } }. */
export function graphOfExternalData(): Uint8Array {
  const field = (number: number, bytes: Buffer) =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  const external = Buffer.from([(14 << 3) | 0, 1]);
  const tensor = Buffer.concat([field(8, Buffer.from('weights')), external]);
  const node = field(4, Buffer.from('Identity'));
  return field(7, Buffer.concat([field(1, node), field(5, tensor)]));
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Nobody else is there, unless a spec says where. */
const alone = {
  DRIFTLOOP_LOG_LEVEL: 'silent',
  DRIFTLOOP_REGISTRY_ADDRESS: '127.0.0.1:1',
  DRIFTLOOP_FEATURE_STORE_ADDRESS: '127.0.0.1:1',
};

/** Serving, with doors to tell and ask it. */
export class World {
  readonly predictions: Prediction[] = [];
  readonly batches: PredictionsMade[] = [];
  readonly failures: RolloutFailed[] = [];
  private told = 0;

  private constructor(
    readonly service: RunningService & { readonly ground: Ground },
    readonly client: Client,
  ) {}

  static async open(options: TestOptions = {}): Promise<World> {
    const environment = {
      ...alone,
      DRIFTLOOP_REPLAY_TOKEN: replayToken,
      ...options.environment,
    };
    const service = await testService(serving, { ...options, environment });
    const client = new inference.GRPCInferenceServiceClient(`127.0.0.1:${service.port}`, credentials.createInsecure());
    const world = new World(service, client);
    await world.hear(events.predictionsMade, (made) => {
      world.batches.push(made);
      world.predictions.push(...made.predictions);
    });
    await world.hear(events.rolloutFailed, (failed) => world.failures.push(failed));
    return world;
  }

  async close(): Promise<void> {
    this.client.close();
    await this.service.close();
  }

  private async hear<T>(definition: EventDefinition<T>, note: (payload: T) => void): Promise<void> {
    const handle = async ({ data }: { data: unknown }) => note(definition.payload.fromJSON(data));
    await this.service.ground.bus.subscribe({ group: `spec.${definition.topic}`, topics: [definition.topic], handle });
  }

  /** Publishes an event as its speaker would. */
  async tell<T>(definition: EventDefinition<T>, payload: T, time = day(1)): Promise<void> {
    const { topic, key, from, payload: codec } = definition;
    const event = { id: `spec-${this.told++}`, topic, key: key(payload), time: time.getTime(), source: from };
    await this.service.ground.bus.publish([{ ...event, data: codec.toJSON(payload) }]);
  }

  async declare(revision = 1, spec: ModelSpec = flights): Promise<void> {
    const { json, sha256 } = canonicalSpec(spec);
    const model = spec.metadata.name;
    const declared = { tenant: 'main', model, revision, specJson: json, specSha256: sha256 };
    await this.tell(events.modelDeclared, declared);
  }

  /** Puts a graph into the object store; `hash` declares other bytes than those that are there. */
  async version(version: string, bytes: Uint8Array, hash = sha256(bytes)): Promise<ServedVersion> {
    const { key } = await this.service.ground.objects.put(`main/models/flights/${version}.onnx`, bytes);
    return { version, artifact: { uri: key, sha256: hash, bytes: bytes.byteLength }, specRevision: 1 };
  }

  async rollOut(revision: number, rollout: Partial<Rollout>): Promise<void> {
    const changed = { tenant: 'main', model: 'flights', rollout: rolloutOf(revision, rollout) };
    await this.tell(events.rolloutChanged, RolloutChanged.fromPartial(changed));
  }

  /** The model with one version that answers, loaded. */
  async serve(probability = 0.25): Promise<ServedVersion> {
    const champion = await this.version('v0', graphOf(probability));
    await this.declare();
    await this.rollOut(1, { champion });
    await this.settled();
    return champion;
  }

  settled(): Promise<void> {
    return this.service.ground.bus.settled();
  }

  /** Asks as any client would; `asReplay` with the replay credential. */
  infer(request: Partial<Request>, { asReplay = false, deadlineMs = 10_000, cancelAfterMs = 0 } = {}): Promise<Reply> {
    const metadata = new Metadata();
    if (asReplay) metadata.set('authorization', `Bearer ${replayToken}`);
    const full = inference.ModelInferRequest.fromPartial({ modelName: 'flights', ...request });
    return new Promise((resolve, reject) => {
      const call = this.client.modelInfer(full, metadata, { deadline: Date.now() + deadlineMs }, (error, reply) =>
        error ? reject(error) : resolve(reply),
      );
      if (cancelAfterMs) setTimeout(() => call.cancel(), cancelAfterMs);
    });
  }

  /** The refusal of a request, asked again for as long as the store is only slow, as its error says. */
  async refusedInTheEnd(request: Partial<Request>): Promise<Refusal> {
    for (;;) {
      const refusal = await this.refused(request);
      if (refusal.code !== 'FEATURES_AWAY') return refusal;
    }
  }

  /** Asks, and resolves with what went wrong. */
  async refused(request: Partial<Request>, options = {}): Promise<Refusal> {
    const error = await this.infer(request, options).then(
      (reply) => Promise.reject(new Error(`answered: ${JSON.stringify(reply)}`)),
      (error: ServiceError) => error,
    );
    const [sent] = error.metadata?.get('driftloop-error-bin') ?? [];
    const { code = '', retriable = false } = sent ? JSON.parse(sent.toString()) : {};
    return { status: error.code, message: error.details, code, retriable };
  }
}

export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly code: string;
  readonly retriable: boolean;
}

export function rolloutOf(revision: number, rollout: Partial<Rollout>): Rollout {
  const base = { revision, effective: day(revision), rolloutId: `r${revision}`, stage: Stage.ENDED };
  return Rollout.fromPartial({ ...base, ...rollout });
}

export const parameter = (value: string): inference.InferParameter => ({
  parameterChoice: { $case: 'stringParam', value },
});

/** A typed [n,1] tensor: numbers FP64, texts BYTES. */
export function tensor(name: string, ...values: (number | string)[]): Tensor {
  const texts = values.filter((value) => typeof value === 'string');
  const contents = texts.length
    ? { bytesContents: texts.map((text) => Buffer.from(text)) }
    : { fp64Contents: values as number[] };
  const datatype = texts.length ? 'BYTES' : 'FP64';
  return inference.ModelInferRequest_InferInputTensor.fromPartial({
    name,
    datatype,
    shape: [values.length, 1],
    contents: contents as never,
  });
}

/** A raw tensor's contents. */
export function rawOf({ datatype, contents }: Tensor): Buffer {
  if (datatype === 'FP64') return Buffer.from(Float64Array.from(contents!.fp64Contents).buffer);
  return Buffer.concat(contents!.bytesContents.flatMap((text) => [lengthOf(text), text]));
}

function lengthOf(text: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return length;
}

/** A request with its contents raw. */
export function raw(inputs: Tensor[]): Partial<Request> {
  const bare = inputs.map((input) => ({ ...input, contents: undefined }));
  return { inputs: bare, rawInputContents: inputs.map(rawOf) };
}

/** The flights' own inputs, for n rows. */
export const ownInputs = (n = 1): Tensor[] => [
  tensor('carrier', ...Array(n).fill('AA')),
  tensor('dest', ...Array(n).fill('LAX')),
  tensor('flight', ...Array(n).fill('AA1')),
  tensor('distance', ...Array(n).fill(2475)),
  tensor('sched_dep_utc', ...Array(n).fill('2013-02-14T10:00:00Z')),
];

/** Every input of the model: nothing is left for the feature store. */
export function allInputs(n = 1): Tensor[] {
  const own = ownInputs(n);
  const columns = inputNames.filter((name) => !own.some((input) => input.name === name));
  return [...own, ...columns.map((name, i) => tensor(name, ...Array(n).fill(i + 0.5)))];
}

const inputNames = featureColumns(flights).map(({ name }) => name);
