/** How far the sources of a model have come, for operators to see; and taking a promise back that should not have been made. */
import {
  events,
  isEventTime,
  type ListWatermarksReply,
  outcomesSource,
  type SourceWatermark,
  type WithdrawWatermarkRequest,
} from '@driftloop/contracts';
import { type Cause, type Emission, emission, Outbox } from '@driftloop/documents';
import { Log } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import type { ModelView } from './model-view.js';
import { Models } from './models.js';

@Injectable()
export class Progress {
  constructor(
    private readonly models: Models,
    private readonly outbox: Outbox,
    private readonly log: Log,
  ) {}

  /** Every declared source, those that have never spoken too. Throws UNKNOWN_MODEL. */
  list(tenant: string, model: string): ListWatermarksReply {
    const view = this.models.of(tenant, model);
    return { sources: [...view.plan.sources.keys()].map((source) => stateOf(view, source)) };
  }

  /**
   * Takes a source's promise back, to a time or altogether; again is the same as once. Monitoring hears of it, except of
   * the labels': those are labeling's to tell of. Throws UNKNOWN_MODEL, UNKNOWN_SOURCE, TIME_INVALID.
   */
  async withdraw(
    tenant: string,
    { model, source, to, note }: WithdrawWatermarkRequest,
    causeOf: (id: string, timeMs: number) => Cause,
  ): Promise<SourceWatermark> {
    const view = this.models.of(tenant, model);
    const known = [...view.plan.sources.keys()];
    if (!known.includes(source)) throw errors.UNKNOWN_SOURCE({ model, source, known });
    if (to && !isEventTime(to)) throw errors.TIME_INVALID({ what: 'the time to go back to' });
    const was = view.watermarks.of(source);
    const told = () => (source === outcomesSource ? [] : [withdrawal(view, source, to, note)]);
    const log = await view.log(source, view.plan.sources.get(source)!);
    const time = timeOf(view, source, to);
    const cause = causeOf(`${model}/${source}/withdrawn/${log.sequence}`, time);
    if (await view.withdraw(source, to?.getTime(), { outbox: this.outbox, cause }, told))
      this.log.warn({ model, source, was, to, note }, 'a watermark is taken back, because a person says so');
    return stateOf(view, source);
  }
}

function stateOf(view: ModelView, source: string): SourceWatermark {
  const { watermarks, model } = view;
  const [watermark, newest] = [watermarks.of(source), view.newestKnownAt(source)];
  return {
    ...{ model, source, watermark: dateOf(watermark), newestKnownAt: dateOf(newest) },
    ...{ rows: view.view.sizeOf(source), horizon: dateOf(view.view.horizonOf(source)) },
    silent: watermarks.silent(source),
  };
}

/** What holds from now on; where nothing is promised any more, the source has come as far as its rows. */
function withdrawal(view: ModelView, source: string, to: Date | undefined, note: string): Emission {
  const { tenant, model } = view;
  const watermark = to ?? dateOf(view.newestKnownAt(source));
  const nothing = { rows: 0, firstEventTime: undefined, lastEventTime: undefined };
  const payload = { tenant, model, source, ...nothing, watermark, withdrawn: true, note };
  return emission(events.featuresIngested, payload, timeOf(view, source, to));
}

const timeOf = (view: ModelView, source: string, to: Date | undefined): number =>
  to?.getTime() ?? view.newestKnownAt(source) ?? 0;

const dateOf = (ms: number | undefined): Date | undefined =>
  ms !== undefined && Number.isFinite(ms) ? new Date(ms) : undefined;
