/** The registry's front door: parse, call, reply; decides nothing. */
import {
  type ApplyReply,
  type ApplyRequest,
  type DeclaredModel,
  type FreezeRequest,
  type GetModelRequest,
  type GetRolloutReply,
  type GetRolloutRequest,
  type GetVersionRequest,
  isEventTime,
  type ListModelsReply,
  type ListModelsRequest,
  type ListVersionsReply,
  type ListVersionsRequest,
  type PromoteRequest,
  type RollBackRequest,
  type RolloutReply,
  type Version,
} from '@driftloop/contracts';
import { type Caller, callerName, callerOf, causeOfRequest, WallClock } from '@driftloop/service';
import type { Metadata } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { Commands } from './commands.js';
import { Declarations } from './declare.js';
import { errors } from './errors.js';
import { Reading } from './reading.js';

@Controller()
export class RegistryDoor {
  constructor(
    private readonly declarations: Declarations,
    private readonly commands: Commands,
    private readonly reading: Reading,
    private readonly clock: WallClock,
  ) {}

  @GrpcMethod('Registry', 'Apply')
  apply(request: ApplyRequest, metadata: Metadata): Promise<ApplyReply> {
    const caller = callerOf(metadata);
    if (request.eventTime && !caller.replay) throw errors.REPLAY_ONLY({ field: 'event_time' });
    if (request.eventTime && !isEventTime(request.eventTime)) throw errors.TIME_INVALID({ field: 'event_time' });
    const time = request.eventTime?.getTime() ?? this.clock.now();
    return this.declarations.apply(request.spec, causeOfRequest(caller, 'apply', time));
  }

  @GrpcMethod('Registry', 'GetModel')
  getModel({ model }: GetModelRequest, metadata: Metadata): Promise<DeclaredModel> {
    return this.reading.model(callerOf(metadata).tenant, model);
  }

  @GrpcMethod('Registry', 'ListModels')
  async listModels(_: ListModelsRequest, metadata: Metadata): Promise<ListModelsReply> {
    return { models: await this.reading.models(callerOf(metadata).tenant) };
  }

  @GrpcMethod('Registry', 'ListVersions')
  async listVersions({ model }: ListVersionsRequest, metadata: Metadata): Promise<ListVersionsReply> {
    return { versions: await this.reading.versions(callerOf(metadata).tenant, model) };
  }

  @GrpcMethod('Registry', 'GetVersion')
  getVersion({ model, version }: GetVersionRequest, metadata: Metadata): Promise<Version> {
    return this.reading.version(callerOf(metadata).tenant, model, version);
  }

  @GrpcMethod('Registry', 'GetRollout')
  getRollout({ model, history }: GetRolloutRequest, metadata: Metadata): Promise<GetRolloutReply> {
    return this.reading.rollout(callerOf(metadata).tenant, model, history);
  }

  @GrpcMethod('Registry', 'Promote')
  async promote(request: PromoteRequest, metadata: Metadata): Promise<RolloutReply> {
    const caller = callerOf(metadata);
    return { rollout: await this.commands.promote(request, await this.byHand(caller)) };
  }

  @GrpcMethod('Registry', 'RollBack')
  async rollBack(request: RollBackRequest, metadata: Metadata): Promise<RolloutReply> {
    const caller = callerOf(metadata);
    return { rollout: await this.commands.rollBack(request, await this.byHand(caller)) };
  }

  @GrpcMethod('Registry', 'Freeze')
  async freeze(request: FreezeRequest, metadata: Metadata): Promise<RolloutReply> {
    const caller = callerOf(metadata);
    return { rollout: await this.commands.freeze(request, callerName(caller), await this.byHand(caller)) };
  }

  /** A command's time is the last tick's: the event time that the models live in, which a replay's is not the wall's. */
  private async byHand(caller: Caller) {
    return causeOfRequest(caller, 'by-hand', await this.reading.now());
  }
}
