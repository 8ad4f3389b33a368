/** Models over HTTP: declare, look, act. Each call is one gRPC call behind the door; replies are proto3 JSON. */
import {
  ApplyReply,
  ApplyRequest,
  Cycle,
  DriftReport,
  GetRolloutReply,
  Ledger,
  ListCyclesReply,
  ListJobsReply,
  ListModelsReply,
  ListVersionsReply,
  ModelStatus,
  PromoteRequest,
  RollBackRequest,
  RolloutReply,
} from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { Controller, Get, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { JsonBody, KnownQuery } from './known-fields.js';
import { LiveClock } from './live-clock.js';
import { flag, forwarded, optionalText, requiredText, requiredTime, wholeNumber } from './request.js';
import { Upstreams } from './upstreams.js';

type RequestHeaders = Record<string, string | undefined>;

@Controller('v1')
export class ModelsDoor {
  constructor(
    private readonly upstreams: Upstreams,
    private readonly clock: LiveClock,
  ) {}

  @Post('apply')
  @HttpCode(200)
  async apply(@JsonBody('spec', 'eventTime') body: unknown, @Headers() headers: RequestHeaders) {
    const eventTime = (body as { eventTime?: unknown })?.eventTime ? requiredTime(body, 'eventTime') : undefined;
    const request = ApplyRequest.fromPartial({ spec: requiredText(body, 'spec'), eventTime });
    return ApplyReply.toJSON(await call(this.upstreams.registry, 'apply', request, forwarded(headers)));
  }

  @Get('models')
  async models(@Headers() headers: RequestHeaders) {
    return ListModelsReply.toJSON(await call(this.upstreams.registry, 'listModels', {}, forwarded(headers)));
  }

  @Get('models/:model/versions')
  async versions(@Param('model') model: string, @Headers() headers: RequestHeaders) {
    return ListVersionsReply.toJSON(await call(this.upstreams.registry, 'listVersions', { model }, forwarded(headers)));
  }

  @Get('models/:model/rollout')
  async rollout(@Param('model') model: string, @Headers() headers: RequestHeaders) {
    const request = { model, history: 20 };
    return GetRolloutReply.toJSON(await call(this.upstreams.registry, 'getRollout', request, forwarded(headers)));
  }

  @Get('models/:model/status')
  async status(@Param('model') model: string, @Headers() headers: RequestHeaders) {
    const state = await call(this.upstreams.monitoring, 'getStatus', { model }, forwarded(headers));
    const doubt = await this.clock.doubt();
    return ModelStatus.toJSON({ ...state, attention: [...(doubt ? [doubt] : []), ...state.attention] });
  }

  @Get('models/:model/drift')
  async drift(
    @Param('model') model: string,
    @KnownQuery('limit') query: Record<string, unknown>,
    @Headers() headers: RequestHeaders,
  ) {
    const request = { model, limit: wholeNumber(query, 'limit') };
    return DriftReport.toJSON(await call(this.upstreams.monitoring, 'getDrift', request, forwarded(headers)));
  }

  @Get('models/:model/jobs')
  async jobs(@Param('model') model: string, @Headers() headers: RequestHeaders) {
    return ListJobsReply.toJSON(await call(this.upstreams.training, 'listJobs', { model }, forwarded(headers)));
  }

  @Get('models/:model/cycles')
  async cycles(@Param('model') model: string, @Headers() headers: RequestHeaders) {
    return ListCyclesReply.toJSON(await call(this.upstreams.monitoring, 'listCycles', { model }, forwarded(headers)));
  }

  @Get('cycles/:cycleId')
  async cycle(@Param('cycleId') cycleId: string, @Headers() headers: RequestHeaders) {
    return Cycle.toJSON(await call(this.upstreams.monitoring, 'getCycle', { cycleId }, forwarded(headers)));
  }

  @Get('models/:model/ledger')
  async ledger(
    @Param('model') model: string,
    @KnownQuery('after', 'limit') query: Record<string, unknown>,
    @Headers() headers: RequestHeaders,
  ) {
    const request = { model, after: wholeNumber(query, 'after'), limit: wholeNumber(query, 'limit') };
    return Ledger.toJSON(await call(this.upstreams.monitoring, 'readLedger', request, forwarded(headers)));
  }

  @Post('models/:model/promote')
  @HttpCode(200)
  async promote(
    @Param('model') model: string,
    @JsonBody('version', 'expectedChampion', 'note', 'force') body: unknown,
    @Headers() headers: RequestHeaders,
  ) {
    const request = PromoteRequest.fromPartial({
      model,
      version: requiredText(body, 'version'),
      expectedChampion: optionalText(body, 'expectedChampion'),
      note: optionalText(body, 'note'),
      force: flag(body, 'force'),
    });
    return RolloutReply.toJSON(await call(this.upstreams.registry, 'promote', request, forwarded(headers)));
  }

  @Post('models/:model/rollback')
  @HttpCode(200)
  async rollBack(
    @Param('model') model: string,
    @JsonBody('expectedChampion', 'expectedChallenger', 'note', 'force') body: unknown,
    @Headers() headers: RequestHeaders,
  ) {
    const request = RollBackRequest.fromPartial({
      model,
      expectedChampion: optionalText(body, 'expectedChampion'),
      expectedChallenger: optionalText(body, 'expectedChallenger'),
      note: optionalText(body, 'note'),
      force: flag(body, 'force'),
    });
    return RolloutReply.toJSON(await call(this.upstreams.registry, 'rollBack', request, forwarded(headers)));
  }
}
