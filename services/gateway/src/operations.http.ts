/** What operators do over HTTP: look at services and dead letters, give letters back or discard them, pause a loop, freeze a champion. */
import {
  CycleExplanation,
  DescribeReply,
  DiscardDeadLettersReply,
  ListDeadLettersReply,
  ModelStatus,
  ReplayDeadLettersReply,
  RolloutReply,
  type ServiceName,
  services,
} from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { Controller, Get, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { errors } from './errors.js';
import { JsonBody, KnownQuery } from './known-fields.js';
import { flag, forwarded, limitOf, optionalText, requiredText, textList } from './request.js';
import { Upstreams } from './upstreams.js';

type RequestHeaders = Record<string, string | undefined>;

/** How long a service may take to describe itself, ms: one that is away is shown as such. */
const patienceMs = 2000;
const shownLetters = { usual: 100, most: 1000 };

@Controller('v1')
export class OperationsDoor {
  constructor(private readonly upstreams: Upstreams) {}

  /** Every service as it describes itself; one that does not answer is there, not ready, with the reason. */
  @Get('services')
  async services(@Headers() headers: RequestHeaders) {
    const described = await Promise.all(services.map((name) => this.describe(name, headers)));
    return { services: described.map((reply) => DescribeReply.toJSON(reply)) };
  }

  @Get('dead')
  async dead(
    @KnownQuery('service', 'group', 'limit') query: Record<string, unknown>,
    @Headers() headers: RequestHeaders,
  ) {
    const [service, group] = [optionalText(query, 'service'), optionalText(query, 'group')];
    const limit = limitOf(query, shownLetters);
    const asked = group ? [serviceOf(group)] : service ? [known(service)] : services;
    const options = forwarded(headers);
    const replies = await Promise.all(
      asked.map((name) => call(this.upstreams.admin(name), 'listDeadLetters', { group, limit }, options)),
    );
    const letters = replies.flatMap((reply) => reply.letters);
    letters.sort((a, b) => a.eventTime!.getTime() - b.eventTime!.getTime());
    const total = replies.reduce((sum, reply) => sum + reply.total, 0);
    return ListDeadLettersReply.toJSON({ letters: letters.slice(0, limit), total });
  }

  @Post('dead/replay')
  @HttpCode(200)
  async replay(@JsonBody('group', 'eventIds') body: unknown, @Headers() headers: RequestHeaders) {
    const group = requiredText(body, 'group');
    const request = { group, eventIds: textList(body, 'eventIds') };
    const admin = this.upstreams.admin(serviceOf(group));
    return ReplayDeadLettersReply.toJSON(await call(admin, 'replayDeadLetters', request, forwarded(headers)));
  }

  /** The events named, or all of the group where `all` says so. */
  @Post('dead/discard')
  @HttpCode(200)
  async discard(@JsonBody('group', 'eventIds', 'all', 'note') body: unknown, @Headers() headers: RequestHeaders) {
    const group = requiredText(body, 'group');
    const which = { eventIds: textList(body, 'eventIds'), all: flag(body, 'all') };
    const request = { group, ...which, note: optionalText(body, 'note') };
    const admin = this.upstreams.admin(serviceOf(group));
    return DiscardDeadLettersReply.toJSON(await call(admin, 'discardDeadLetters', request, forwarded(headers)));
  }

  @Post('models/:model/pause')
  @HttpCode(200)
  pause(@Param('model') model: string, @JsonBody('note') body: unknown, @Headers() headers: RequestHeaders) {
    return this.hold(model, true, body, headers);
  }

  @Post('models/:model/resume')
  @HttpCode(200)
  resume(@Param('model') model: string, @JsonBody('note') body: unknown, @Headers() headers: RequestHeaders) {
    return this.hold(model, false, body, headers);
  }

  @Post('models/:model/freeze')
  @HttpCode(200)
  freeze(@Param('model') model: string, @JsonBody('note') body: unknown, @Headers() headers: RequestHeaders) {
    return this.keep(model, true, body, headers);
  }

  @Post('models/:model/thaw')
  @HttpCode(200)
  thaw(@Param('model') model: string, @JsonBody('note') body: unknown, @Headers() headers: RequestHeaders) {
    return this.keep(model, false, body, headers);
  }

  @Get('cycles/:cycleId/explanation')
  async explanation(@Param('cycleId') cycleId: string, @Headers() headers: RequestHeaders) {
    const request = { cycleId };
    return CycleExplanation.toJSON(await call(this.upstreams.monitoring, 'explainCycle', request, forwarded(headers)));
  }

  private async hold(model: string, paused: boolean, body: unknown, headers: RequestHeaders) {
    const request = { model, paused, note: optionalText(body, 'note') };
    return ModelStatus.toJSON(await call(this.upstreams.monitoring, 'pause', request, forwarded(headers)));
  }

  private async keep(model: string, held: boolean, body: unknown, headers: RequestHeaders) {
    const request = { model, held, note: optionalText(body, 'note') };
    return RolloutReply.toJSON(await call(this.upstreams.registry, 'freeze', request, forwarded(headers)));
  }

  private async describe(service: ServiceName, headers: RequestHeaders): Promise<DescribeReply> {
    const options = { ...forwarded(headers), deadlineMs: patienceMs };
    return call(this.upstreams.admin(service), 'describe', {}, options).catch((error: Error & { status?: string }) => {
      if (error.status !== 'UNAVAILABLE' && error.status !== 'DEADLINE_EXCEEDED') throw error;
      return DescribeReply.fromPartial({ service, ready: false, reasons: ['it does not answer'] });
    });
  }
}

/** A group's service stands before the first dot. */
const serviceOf = (group: string): ServiceName => known(group.split('.')[0], group);

/** Throws UNKNOWN_SERVICE. */
function known(name: string, given = name): ServiceName {
  const found = services.find((service) => service === name);
  if (!found) throw errors.UNKNOWN_SERVICE({ given, known: [...services] });
  return found;
}
