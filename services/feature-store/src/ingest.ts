/** Ingestion: rows of a source are checked, made durable and counted; every batch says what became of it. */
import {
  events,
  IngestReply,
  type IngestRequest,
  isEventMs,
  type LabelsAdded,
  outcomesSource,
  own,
  watermarkGrainMs,
} from '@driftloop/contracts';
import { type Cause, type Emission, emission, Outbox } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { Ahead } from './ahead.js';
import { errors } from './errors.js';
import type { ModelView } from './model-view.js';
import { Models } from './models.js';
import { QuarantinedRows } from './quarantine.documents.js';
import { contradictory, type Intake, takeIn } from './rows/intake.js';
import { rejectedShown } from './rows/rejected-rows.js';
import type { RowLog } from './rows/row-log.js';
import type { Row } from './views/source-rows.js';

/** Rows in one message. */
const rowLimit = 10_000;
/** Rows after which a batch is announced, however little its watermark moved. */
const announceRows = 1000;

/** What became of rows that are well-formed. */
export type Taken = Pick<IngestReply, 'accepted' | 'duplicates' | 'quarantined' | 'contradictory'>;

/** What a source took in since it was last announced. */
interface Unannounced {
  rows: number;
  first: number;
  last: number;
}

@Injectable()
export class Ingest {
  private readonly unannounced = new WeakMap<RowLog, Unannounced>();

  constructor(
    private readonly models: Models,
    private readonly outbox: Outbox,
    private readonly quarantined: QuarantinedRows,
    private readonly ahead: Ahead,
  ) {}

  /**
   * Takes a batch in. Idempotent: rows that are there already are counted as duplicates. Rows out of their range are set
   * aside (quarantine.ts). `causeOf` names the request.
   * Throws UNKNOWN_MODEL, UNKNOWN_SOURCE, OUTCOMES_NOT_INGESTED, BATCH_TOO_LARGE, TIME_INVALID, WATERMARK_AHEAD.
   */
  async ingest(
    tenant: string,
    request: IngestRequest,
    causeOf: (id: string, timeMs: number) => Cause,
  ): Promise<IngestReply> {
    const view = this.models.of(tenant, request.model);
    const columns = view.ingestible(request.source);
    if (request.rows.length > rowLimit) throw errors.BATCH_TOO_LARGE({ rows: request.rows.length, limit: rowLimit });
    const watermark = watermarkOf(request.watermark);
    const ranges = own(view.spec.spec.sources, request.source)?.ranges;
    const latest = this.ahead.latestKnownAt(view, request.rows);
    const { rejected, ...intake } = takeIn(columns, request.rows, ranges, latest);
    this.ahead.checkPromise(view, request.source, watermark, intake.rows);
    const taken = await this.take(view, request.source, intake, watermark, causeOf);
    const shown = { rejected: rejected.slice(0, rejectedShown), rejectedCount: rejected.length };
    return IngestReply.fromPartial({ ...taken, ...shown });
  }

  /** Records rows, and sets those aside that are suspect or contradict one that is there. */
  async take(
    view: ModelView,
    source: string,
    { rows, suspect }: Pick<Intake, 'rows' | 'suspect'>,
    watermark: number | undefined,
    causeOf: (id: string, timeMs: number) => Cause,
  ): Promise<Taken> {
    const aside = await this.quarantined.setAside(view, source, suspect);
    const { accepted, duplicates, contradictory: odd } = await this.record(view, source, rows, watermark, causeOf);
    const suspects = odd.map((row) => contradictory(view.ingestible(source), row));
    const against = await this.quarantined.setAside(view, source, suspects);
    return {
      accepted,
      duplicates: duplicates + aside.duplicates + against.duplicates,
      quarantined: aside.quarantined + against.quarantined,
      contradictory: against.quarantined,
    };
  }

  /** Makes rows of a declared source durable, and announces them now and then. */
  record(
    view: ModelView,
    source: string,
    rows: readonly Row[],
    watermark: number | undefined,
    causeOf: (id: string, timeMs: number) => Cause,
  ) {
    const promised = watermark === undefined ? undefined : { part: 0, watermark };
    const time = watermark ?? rows.reduce((newest, { knownAt }) => Math.max(newest, knownAt), 0);
    const tell = { outbox: this.outbox, cause: causeOf(`${view.model}/${source}/${time}`, time) };
    return view.record(source, rows, promised, tell, (fresh, log) =>
      this.announce(view, source, fresh, watermark, log),
    );
  }

  /** Labels are rows of the source `outcomes`; one bucket is one part of its watermark. */
  async addLabels({ tenant, label, labels, watermark, bucket }: LabelsAdded, cause: Cause): Promise<void> {
    const view = this.models.ofLabel(tenant, label);
    const rows = labels.map(
      ({ entityId, entityTime, knownAt, value, source }): Row => ({
        entityId: textOf(entityId),
        eventTime: timeOf(`entity_time of ${entityId}`, entityTime),
        knownAt: timeOf(`known_at of ${entityId}`, knownAt),
        cells: [value + 0, textOf(source) || undefined],
      }),
    );
    const ms = watermarkOf(watermark);
    const promised = ms === undefined ? undefined : { part: bucket, watermark: ms };
    await view.record(outcomesSource, rows, promised, { outbox: this.outbox, cause });
  }

  /**
   * features.ingested for what has come since the last one: when the watermark passes a border of the grain, or many rows
   * have come. Borders are counted from the durable watermark, so that a start in between tells nobody more or less of it;
   * the rows are counted since the start.
   */
  private announce(view: ModelView, source: string, fresh: readonly Row[], watermark: number | undefined, log: RowLog) {
    const seen = this.unannounced.get(log) ?? none();
    seen.rows += fresh.length;
    for (const { eventTime } of fresh) {
      seen.first = Math.min(seen.first, eventTime);
      seen.last = Math.max(seen.last, eventTime);
    }
    this.unannounced.set(log, seen);
    const passed = watermark !== undefined && grainOf(watermark) > grainOf(view.watermarks.of(source));
    if (!passed && seen.rows < announceRows) return [];
    this.unannounced.set(log, none());
    return [announcement(view, source, seen, watermark)];
  }
}

const none = (): Unannounced => ({ rows: 0, first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY });

const grainOf = (ms = Number.NEGATIVE_INFINITY): number => Math.floor(ms / watermarkGrainMs);

function announcement(view: ModelView, source: string, seen: Unannounced, watermark: number | undefined): Emission {
  const payload = {
    tenant: view.tenant,
    model: view.model,
    source,
    rows: seen.rows,
    firstEventTime: seen.rows ? new Date(seen.first) : undefined,
    lastEventTime: seen.rows ? new Date(seen.last) : undefined,
    watermark: watermark === undefined ? undefined : new Date(watermark),
    ...{ withdrawn: false, note: '' },
  };
  return emission(events.featuresIngested, payload, watermark ?? seen.last);
}

const textOf = (text: string): string => text.replaceAll('\0', '').toWellFormed();

function watermarkOf(time: Date | undefined): number | undefined {
  return time === undefined ? undefined : timeOf('the watermark', time);
}

function timeOf(what: string, time: Date | undefined): number {
  const ms = time?.getTime() ?? Number.NaN;
  if (!isEventMs(ms)) throw errors.TIME_INVALID({ what });
  return ms;
}
