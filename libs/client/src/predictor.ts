/** Asking a model: the Open Inference Protocol, one row a call. */
import { inference, own } from '@driftloop/contracts';
import type { Metadata } from '@grpc/grpc-js';
import { CallFailed } from './failure.js';
import { credential, open, unary } from './rpc.js';

/** One question. Inputs that the feature store can supply by entity may be left out. */
export interface Question {
  model: string;
  entityId: string;
  /** The prediction's id; the same id asked again is the same prediction. */
  id?: string;
  inputs: Record<string, string | number | Date>;
  /** A version or alias; empty: whoever answers now. */
  version?: string;
  /** Event time of the question; only with a replay credential. */
  eventTime?: Date;
}

export interface Answer {
  id: string;
  version: string;
  probability: number;
  /** "champion" or "canary". */
  arm: string;
  /** Features that were missing and imputed. */
  imputed: string[];
  /** Features of the store that lean on a source which is behind by more than its silence, or has never spoken. */
  stale: string[];
  /** How far the feature store was behind the question, ms; 0 where it was not. */
  behindMs: number;
}

type Tensor = inference.ModelInferRequest_InferInputTensor;

/**
 * Serving's inference door at "host:port" ("grpcs://host:port" with TLS), or its replicas at several with commas between; `close` it when done. Every call
 * throws CallFailed: serving's own code, UNREACHABLE, or DEADLINE_EXCEEDED after `deadlineMs` of wall time (30 s by itself).
 */
export class Predictor {
  private readonly client: inference.GRPCInferenceServiceClient;
  private readonly metadata: Metadata;

  constructor(address = '127.0.0.1:8001', token?: string) {
    this.client = open(inference.GRPCInferenceServiceClient, address);
    this.metadata = credential(token);
  }

  /** Asks. Throws CallFailed: UNKNOWN_MODEL, UNKNOWN_VERSION, UNKNOWN_ENTITY, INVALID_TENSOR … */
  async predict(question: Question, deadlineMs?: number): Promise<Answer> {
    const parameters: inference.ModelInferRequest['parameters'] = { entity_id: text(question.entityId) };
    if (question.eventTime) parameters.event_time = text(question.eventTime.toISOString());
    const request = inference.ModelInferRequest.fromPartial({
      modelName: question.model,
      modelVersion: question.version ?? '',
      id: question.id ?? '',
      parameters,
      inputs: Object.entries(question.inputs).map(([name, value]) => tensor(name, value)),
    });
    const reply = await unary(this.client, this.client.modelInfer, request, this.metadata, deadlineMs);
    return toAnswer(reply);
  }

  /** The model's inputs, outputs and versions. */
  metadataOf(model: string): Promise<inference.ModelMetadataResponse> {
    const request = inference.ModelMetadataRequest.fromPartial({ name: model });
    return unary(this.client, this.client.modelMetadata, request, this.metadata);
  }

  close(): void {
    this.client.close();
  }
}

const text = (value: string): inference.InferParameter => ({
  parameterChoice: { $case: 'stringParam', value },
});

function tensor(name: string, value: string | number | Date): Tensor {
  const shape = [1, 1];
  if (typeof value === 'number')
    return inference.ModelInferRequest_InferInputTensor.fromPartial({
      name,
      shape,
      datatype: 'FP64',
      contents: { fp64Contents: [value] } as never,
    });
  const bytes = Buffer.from(value instanceof Date ? value.toISOString() : value);
  return inference.ModelInferRequest_InferInputTensor.fromPartial({
    name,
    shape,
    datatype: 'BYTES',
    contents: { bytesContents: [bytes] } as never,
  });
}

/** Reads typed and raw contents. Throws ANSWER_MALFORMED where there is no probability in the reply. */
function toAnswer(reply: inference.ModelInferResponse): Answer {
  const parameter = (name: string) => {
    const choice = own(reply.parameters, name)?.parameterChoice;
    return choice?.$case === 'stringParam' ? choice.value : '';
  };
  const behind = own(reply.parameters, 'features_behind_ms')?.parameterChoice;
  return {
    id: reply.id,
    version: reply.modelVersion,
    probability: probabilityIn(reply),
    arm: parameter('arm'),
    imputed: parameter('imputed').split(',').filter(Boolean),
    stale: parameter('stale').split(',').filter(Boolean),
    behindMs: behind?.$case === 'int64Param' ? behind.value : 0,
  };
}

function probabilityIn({ outputs, rawOutputContents }: inference.ModelInferResponse): number {
  const at = outputs.findIndex((output) => output.name === 'probability');
  const typed = outputs[at]?.contents;
  const raw = rawOutputContents[at];
  const value = typed?.fp64Contents[0] ?? typed?.fp32Contents[0];
  if (value !== undefined) return value;
  if (raw?.byteLength >= 8) return raw.readDoubleLE(0);
  throw new CallFailed('ANSWER_MALFORMED', 'the reply holds no output "probability" of type FP64 or FP32', false);
}
