/** The front door of serving: the Open Inference Protocol, version 2. Parse, call, reply; decides nothing. */
import { randomUUID } from 'node:crypto';
import type { inference } from '@driftloop/contracts';
import { abandonment, type Caller, callerOf, isLive, Settings, WallClock } from '@driftloop/service';
import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { errors } from './errors.js';
import { type Answer, Inference } from './inference.js';
import { readQuestions } from './question.js';
import { metadataOf, responseOf, versionsOf } from './replies.js';
import { type ServedModel, ServedModels } from './served-models.js';
import { ServingMetrics } from './serving.metrics.js';

const door = 'GRPCInferenceService';

type InferCall = ServerUnaryCall<inference.ModelInferRequest, inference.ModelInferResponse>;

@Controller()
export class InferenceDoor {
  constructor(
    private readonly models: ServedModels,
    private readonly inference: Inference,
    private readonly clock: WallClock,
    private readonly settings: Settings,
    private readonly metrics: ServingMetrics,
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
    const rollout = this.models.get(callerOf(metadata).tenant, name)?.rollouts[0];
    return { ready: rollout !== undefined && (version === '' || rollout.names.has(version)) };
  }

  @GrpcMethod(door, 'ServerMetadata')
  serverMetadata(): inference.ServerMetadataResponse {
    return { name: 'driftloop', version: '0.1.0', extensions: [] };
  }

  @GrpcMethod(door, 'ModelMetadata')
  modelMetadata(request: inference.ModelMetadataRequest, metadata: Metadata): inference.ModelMetadataResponse {
    const model = this.models.find(callerOf(metadata).tenant, request.name);
    const known = [...(model.rollouts[0]?.names.keys() ?? [])];
    if (request.version && !known.includes(request.version))
      throw errors.UNKNOWN_VERSION({ model: request.name, version: request.version, known });
    return metadataOf(model, versionsOf(model));
  }

  @GrpcMethod(door, 'ModelInfer')
  async modelInfer(
    request: inference.ModelInferRequest,
    metadata: Metadata,
    call: InferCall,
  ): Promise<inference.ModelInferResponse> {
    const caller = callerOf(metadata);
    const model = this.models.find(caller.tenant, request.modelName);
    return this.metrics.timed(model.model, () => this.infer(request, model, caller, call));
  }

  private async infer(
    request: inference.ModelInferRequest,
    model: ServedModel,
    caller: Caller,
    call: InferCall,
  ): Promise<[Answer, inference.ModelInferResponse]> {
    const now = this.clock.now();
    const right = { mayReplay: caller.replay, now: isLive(this.settings) ? now : undefined };
    const questions = readQuestions(request, model, right, randomUUID);
    const answer = await this.inference.answer({
      model,
      version: request.modelVersion,
      questions,
      time: questions.eventTime ?? now,
      replay: questions.eventTime !== undefined,
      patienceMs: patienceOf(call, this.clock.wall(), this.settings.featurePatienceMs),
      caller: caller.key,
      signal: abandonment(call),
    });
    return [answer, responseOf(request, questions, answer)];
  }
}

/**
 * Half of what the caller's deadline leaves, so that there is time to answer, and at most `longest` wall ms. What is less
 * is a power of two: questions of one patience go together, and nobody's haste is another's.
 */
function patienceOf(call: InferCall, now: number, longest: number): number {
  const deadline = call.getDeadline();
  const left = (deadline instanceof Date ? deadline.getTime() : deadline) - now;
  return left / 2 >= longest ? longest : 2 ** Math.floor(Math.log2(Math.max(1, left / 2)));
}
