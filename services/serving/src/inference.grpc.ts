/** The front door of serving: the Open Inference Protocol, version 2. Parse, call, reply; decides nothing. */
import { randomUUID } from 'node:crypto';
import { Arm, type inference } from '@driftloop/contracts';
import { type Caller, callerOf, WallClock } from '@driftloop/service';
import type { Metadata } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { errors } from './errors.js';
import { type Answer, Inference } from './inference.js';
import { inputKinds, readQuestions } from './question.js';
import { type ServedModel, ServedModels, versionsOf } from './served-models.js';
import { datatypeOf, rawDoubles } from './tensors.js';

const door = 'GRPCInferenceService';

@Controller()
export class InferenceDoor {
  constructor(
    private readonly models: ServedModels,
    private readonly inference: Inference,
    private readonly clock: WallClock,
  ) {}

  @GrpcMethod(door, 'ServerLive')
  serverLive(): inference.ServerLiveResponse {
    return { live: true };
  }

  @GrpcMethod(door, 'ServerReady')
  serverReady(): inference.ServerReadyResponse {
    return { ready: this.models.all().every((model) => model.rollouts.length > 0) };
  }

  @GrpcMethod(door, 'ModelReady')
  modelReady({ name, version }: inference.ModelReadyRequest, metadata: Metadata): inference.ModelReadyResponse {
    const model = this.models.get(callerOf(metadata).tenant, name);
    const served = model?.rollouts[0] ? versionNames(model) : [];
    return { ready: version ? served.includes(version) : served.length > 0 };
  }

  @GrpcMethod(door, 'ServerMetadata')
  serverMetadata(): inference.ServerMetadataResponse {
    return { name: 'driftloop', version: '0.1.0', extensions: [] };
  }

  @GrpcMethod(door, 'ModelMetadata')
  modelMetadata(
    { name, version }: inference.ModelMetadataRequest,
    metadata: Metadata,
  ): inference.ModelMetadataResponse {
    const model = this.models.find(callerOf(metadata).tenant, name);
    const versions = versionNames(model);
    if (version && !versions.includes(version)) throw errors.UNKNOWN_VERSION({ model: name, version, known: versions });
    const own = model.spec.spec.request.inputs;
    const inputs = [...inputKinds(model)];
    const optional = inputs.map(([input]) => input).filter((input) => !(input in own));
    return {
      name,
      versions,
      platform: 'onnxruntime_onnx',
      inputs: inputs.map(([input, kind]) => ({ name: input, datatype: datatypeOf(kind), shape: [-1, 1] })),
      outputs: [{ name: 'probability', datatype: 'FP64', shape: [-1, 1] }],
      properties: { optional_inputs: optional.join(','), inputs_optional_with_entity_id: Object.keys(own).join(',') },
    };
  }

  @GrpcMethod(door, 'ModelInfer')
  async modelInfer(request: inference.ModelInferRequest, metadata: Metadata): Promise<inference.ModelInferResponse> {
    const caller: Caller = callerOf(metadata);
    const model = this.models.find(caller.tenant, request.modelName);
    for (const { name } of request.outputs) if (name !== 'probability') throw errors.UNKNOWN_OUTPUT({ output: name });
    const questions = readQuestions(request, model, caller.replay, randomUUID);
    const replay = questions.eventTime !== undefined;
    const time = questions.eventTime ?? this.clock.now();
    const answers = await this.inference.answer(model, request.modelVersion, questions, time, replay);
    return toResponse(request, questions.ids[0], answers);
  }
}

function versionNames(model: ServedModel): string[] {
  return model.rollouts[0] ? versionsOf(model.rollouts[0]).map((v) => v.version) : [];
}

/** Raw contents answer raw contents, typed ones typed. */
function toResponse(request: inference.ModelInferRequest, id: string, answers: Answer[]): inference.ModelInferResponse {
  const probabilities = answers.map((answer) => answer.probability);
  const raw = request.rawInputContents.length > 0;
  const contents = raw ? undefined : { ...emptyContents(), fp64Contents: probabilities };
  const [first] = answers;
  return {
    modelName: request.modelName,
    modelVersion: first.version,
    id: request.id || id,
    parameters: {
      arm: text(first.arm === Arm.CANARY ? 'canary' : 'champion'),
      ...(first.imputed.length > 0 && { imputed: text(first.imputed.join(',')) }),
    },
    outputs: [{ name: 'probability', datatype: 'FP64', shape: [answers.length, 1], parameters: {}, contents }],
    rawOutputContents: raw ? [rawDoubles(probabilities)] : [],
  };
}

const text = (value: string): inference.InferParameter => ({ parameterChoice: { $case: 'stringParam', value } });

function emptyContents(): inference.InferTensorContents {
  return {
    boolContents: [],
    intContents: [],
    int64Contents: [],
    uintContents: [],
    uint64Contents: [],
    fp32Contents: [],
    fp64Contents: [],
    bytesContents: [],
  };
}
