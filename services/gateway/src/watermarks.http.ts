/** Watermarks over HTTP: how far each source of a model has come, and taking a promise back that should not have been made. */
import { ListWatermarksReply, outcomesSource, SourceWatermark, WithdrawWatermarkRequest } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { Controller, Get, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { JsonBody } from './known-fields.js';
import { forwarded, optionalText, optionalTime, requiredText } from './request.js';
import { Upstreams } from './upstreams.js';

type RequestHeaders = Record<string, string | undefined>;

@Controller('v1/models/:model/watermarks')
export class WatermarksDoor {
  constructor(private readonly upstreams: Upstreams) {}

  @Get()
  async list(@Param('model') model: string, @Headers() headers: RequestHeaders) {
    return ListWatermarksReply.toJSON(
      await call(this.upstreams.featureStore, 'listWatermarks', { model }, forwarded(headers)),
    );
  }

  /** What labels have promised is labeling's: it forgets it first, so that a call that is cut off can be made again. */
  @Post('withdraw')
  @HttpCode(200)
  async withdraw(
    @Param('model') model: string,
    @JsonBody('source', 'to', 'note') body: unknown,
    @Headers() headers: RequestHeaders,
  ) {
    const source = requiredText(body, 'source');
    const [to, note] = [optionalTime(body, 'to'), optionalText(body, 'note')];
    const request = WithdrawWatermarkRequest.fromPartial({ model, source, note, to });
    const options = forwarded(headers);
    if (source === outcomesSource) await call(this.upstreams.labeling, 'withdrawWatermark', request, options);
    return SourceWatermark.toJSON(await call(this.upstreams.featureStore, 'withdrawWatermark', request, options));
  }
}
