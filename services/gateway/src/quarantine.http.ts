/** The quarantine over HTTP: what labeling, the feature store and monitoring have set aside, as one list; let in or confirmed. */
import {
  ListQuarantineReply,
  ListQuarantineRequest,
  QuarantineItem,
  ResolveQuarantineRequest,
} from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { Controller, Get, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { errors } from './errors.js';
import { JsonBody, KnownQuery } from './known-fields.js';
import { forwarded, limitOf, optionalText, requiredText } from './request.js';
import { Upstreams } from './upstreams.js';

type RequestHeaders = Record<string, string | undefined>;

const shown = { usual: 100, most: 1000 };

@Controller('v1/models/:model/quarantine')
export class QuarantineDoor {
  constructor(private readonly upstreams: Upstreams) {}

  /** Newest first, of all holders; at most 1,000, with the number of all. */
  @Get()
  async list(
    @Param('model') model: string,
    @KnownQuery('state', 'limit') query: Record<string, unknown>,
    @Headers() headers: RequestHeaders,
  ) {
    const limit = limitOf(query, shown);
    const request = ListQuarantineRequest.fromPartial({ model, state: optionalText(query, 'state'), limit });
    const options = forwarded(headers);
    // A name that nobody declared has nothing set aside: said as a fault, not as all clear.
    await call(this.upstreams.registry, 'getModel', { model }, options);
    const replies = await Promise.all([
      call(this.upstreams.monitoring, 'listQuarantine', request, options),
      call(this.upstreams.labeling, 'listQuarantine', request, options),
      call(this.upstreams.featureStore, 'listQuarantine', request, options),
    ]);
    const items = replies.flatMap((reply) => reply.items).sort(newestFirst);
    const total = replies.reduce((sum, reply) => sum + reply.total, 0);
    return ListQuarantineReply.toJSON({ items: items.slice(0, limit), total });
  }

  /** A person's word about one item: its id says who holds it. */
  @Post('resolve')
  @HttpCode(200)
  async resolve(@JsonBody('id', 'state', 'note') body: unknown, @Headers() headers: RequestHeaders) {
    const id = requiredText(body, 'id');
    const request = ResolveQuarantineRequest.fromPartial({
      id,
      state: requiredText(body, 'state'),
      note: optionalText(body, 'note'),
    });
    return QuarantineItem.toJSON(await this.tell(id.split('/')[0], request, forwarded(headers)));
  }

  private tell(holder: string, request: ResolveQuarantineRequest, options: ReturnType<typeof forwarded>) {
    if (holder === 'monitoring') return call(this.upstreams.monitoring, 'resolveQuarantine', request, options);
    if (holder === 'labeling') return call(this.upstreams.labeling, 'resolveQuarantine', request, options);
    if (holder === 'feature-store') return call(this.upstreams.featureStore, 'resolveQuarantine', request, options);
    const problem = 'begins with monitoring/, labeling/ or feature-store/; list the quarantine and write the whole id';
    throw errors.BODY_INVALID({ field: 'id', problem });
  }
}

const newestFirst = (a: QuarantineItem, b: QuarantineItem): number =>
  (b.eventTime?.getTime() ?? 0) - (a.eventTime?.getTime() ?? 0) || (a.id < b.id ? -1 : 1);
