/** Watermarks over HTTP: how far each source of a model has come, and taking a promise back that should not have been made. */
import {
  FeatureStoreClient,
  LabelingClient,
  ListWatermarksReply,
  outcomesSource,
  SourceWatermark,
  WithdrawWatermarkRequest,
} from '@driftloop/contracts';
import { Addresses, call } from '@driftloop/service';
import { Controller, Get, Headers, HttpCode, type OnApplicationShutdown, Param, Post } from '@nestjs/common';
import { JsonBody } from './known-fields.js';
import { forwarded, optionalText, optionalTime, requiredText } from './request.js';

type RequestHeaders = Record<string, string | undefined>;

@Controller('v1/models/:model/watermarks')
export class WatermarksDoor implements OnApplicationShutdown {
  private readonly labeling: LabelingClient;
  private readonly featureStore: FeatureStoreClient;

  constructor(addresses: Addresses) {
    this.labeling = addresses.client(LabelingClient, 'labeling');
    this.featureStore = addresses.client(FeatureStoreClient, 'feature-store');
  }

  onApplicationShutdown(): void {
    this.labeling.close();
    this.featureStore.close();
  }

  @Get()
  async list(@Param('model') model: string, @Headers() headers: RequestHeaders) {
    return ListWatermarksReply.toJSON(await call(this.featureStore, 'listWatermarks', { model }, forwarded(headers)));
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
    if (source === outcomesSource) await call(this.labeling, 'withdrawWatermark', request, options);
    return SourceWatermark.toJSON(await call(this.featureStore, 'withdrawWatermark', request, options));
  }
}
