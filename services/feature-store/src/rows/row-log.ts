/**
 * The durable rows of a source: batches as they came, compacted into Parquet segments.
 *
 * I1  A batch is one document: it is there with all of its rows, its watermark and its event, or not at all.
 * I2  A segment's document is written after its object; batches up to its `last` are thereby superseded and then deleted.
 *     A crash in between leaves batches that readers skip and the next compaction deletes.
 * I3  One writer a stream: a taken sequence is ANOTHER_WRITER, never an overwrite.
 */
import type { Cause, Emission, Outbox } from '@driftloop/documents';
import { isDuplicateKey } from '@driftloop/documents';
import type { Objects } from '@driftloop/objects';
import { literal, withDuckDB } from '../duckdb.js';
import { errors } from '../errors.js';
import type { BatchDocument, FeatureStoreDocuments, SegmentDocument } from '../feature-store.documents.js';
import { lineOf } from '../serial.js';
import type { Row } from '../views/source-rows.js';
import { type Columns, linesOf, linesSql, rowsOfLines } from './lines.js';
import { writeLines } from './segment-files.js';

/** A promise that comes with rows. */
export interface Promised {
  readonly part: number;
  /** Epoch ms. */
  readonly watermark: number;
}

/** Batches become a segment when either is reached. */
const compactAt = { rows: 20_000, batches: 1_000 };
const batchesAtOnce = 100;

export class RowLog {
  /** Sequence of the last batch; 0 before the first. */
  private sequence = 0;
  private compacted = 0;
  private tailRows = 0;
  private compacting = false;
  /** Compaction moves rows between the two places that readers read: they take turns. */
  private readonly reading = lineOf('readers of rows', 100);
  /** Watermarks by part, as the log holds them. */
  readonly watermarks: (number | null)[] = [];

  /** `stream` is tenant/model/source. */
  private constructor(
    readonly stream: string,
    public columns: Columns,
    private readonly documents: FeatureStoreDocuments,
    private readonly objects: Objects,
  ) {}

  /** Opens a stream where it was left. */
  static async open(
    stream: string,
    columns: Columns,
    documents: FeatureStoreDocuments,
    objects: Objects,
  ): Promise<RowLog> {
    const log = new RowLog(stream, columns, documents, objects);
    const last = (await documents.segmentsOf(stream)).at(-1);
    if (last) {
      log.sequence = log.compacted = last.last;
      for (const [part, watermark] of last.watermarks.entries())
        if (watermark !== null) log.promise({ part, watermark });
    }
    for await (const batch of log.tail()) log.count(batch);
    return log;
  }

  /** Makes rows durable with the promise and the events that come with them. Several batches must go in turn. */
  async append(
    rows: readonly Row[],
    promised: Promised | undefined,
    emit: readonly Emission[],
    tell: Tell,
  ): Promise<void> {
    const sequence = this.sequence + 1;
    const batch: BatchDocument = {
      _id: `${this.stream}/${sequence}`,
      stream: this.stream,
      sequence,
      rows: rows.length,
      lines: linesOf(sequence, this.columns, rows),
      part: promised?.part ?? 0,
      watermark: promised?.watermark ?? null,
    };
    try {
      if (emit.length) await tell.outbox.save(new this.documents.batches(batch), emit, tell.cause);
      else await this.documents.batches.collection.insertOne(batch as never);
    } catch (error) {
      if (isDuplicateKey(error)) throw errors.ANOTHER_WRITER({ view: this.stream, source: `${sequence}` });
      throw error;
    }
    this.count(batch);
  }

  /** Whether there is enough for a segment. */
  get full(): boolean {
    return this.tailRows >= compactAt.rows || this.sequence - this.compacted >= compactAt.batches;
  }

  /** Makes a segment of the batches so far. Appending may go on meanwhile. */
  compact(): Promise<void> {
    return this.reading.run(() => this.compactNow());
  }

  /** Compacts in the background, unless it is under way. */
  compactSoon(report: (error: unknown) => void): void {
    if (this.compacting) return;
    this.compacting = true;
    this.compact()
      .catch(report)
      .finally(() => {
        this.compacting = false;
      });
  }

  /** Resolves when nobody reads or compacts. */
  idle(): Promise<void> {
    return this.reading.run(async () => {});
  }

  /** Hands out the rows that are still of use after a moment: known, or (`byEvent`) of an event, at or after it. */
  recent(horizon: number, byEvent: boolean, each: (rows: Row[]) => void): Promise<void> {
    return this.reading.run(async () => {
      for (const segment of await this.documents.segmentsOf(this.stream)) {
        if (segment.newestKnownAt < horizon && !(byEvent && segment.newestEventTime >= horizon)) continue;
        each(await this.rowsOfSegment(segment, horizon, byEvent));
      }
      for await (const batch of this.tail()) each(rowsOfLines(batch.lines, this.columns));
    });
  }

  /** Local files with all rows: Parquet segments, and the batches since as lines, written into a folder. */
  files(folder: string): Promise<LogFiles> {
    return this.reading.run(async () => {
      const segments = await this.documents.segmentsOf(this.stream);
      const paths = await Promise.all(segments.map(({ objectKey, sha256 }) => this.objects.getFile(objectKey, sha256)));
      const lines = await writeLines(folder, this.tail());
      return { segments: paths, columns: new Set(segments.flatMap(({ columns }) => columns)), lines: lines?.path };
    });
  }

  private promise({ part, watermark }: Promised): void {
    for (let p = this.watermarks.length; p <= part; p++) this.watermarks.push(null);
    this.watermarks[part] = Math.max(this.watermarks[part] ?? Number.NEGATIVE_INFINITY, watermark);
  }

  private count({ sequence, rows, part, watermark }: BatchDocument): void {
    this.sequence = sequence;
    this.tailRows += rows;
    if (watermark !== null && watermark !== undefined) this.promise({ part, watermark });
  }

  private tail(): AsyncGenerator<BatchDocument> {
    return this.batchesAfter(this.compacted);
  }

  private async *batchesAfter(after: number): AsyncGenerator<BatchDocument> {
    for (let sequence = after; ; ) {
      const batches = await this.documents.batchesAfter(this.stream, sequence, batchesAtOnce);
      yield* batches;
      if (batches.length < batchesAtOnce) return;
      sequence = batches.at(-1)!.sequence;
    }
  }

  private async compactNow(): Promise<void> {
    const first = this.compacted + 1;
    const segment = await withDuckDB(async (duck) => {
      const lines = await writeLines(duck.folder, this.tail());
      if (!lines) return undefined;
      const path = `${duck.folder}/segment.parquet`;
      const names = Object.keys(this.columns);
      await duck.run(`COPY (${linesSql([lines.path], names)}) TO ${literal(path)} (FORMAT PARQUET, COMPRESSION zstd)`);
      const [newest] = await duck.rows<{ k: number; t: number }>(
        `SELECT max(k)::DOUBLE AS k, max(t)::DOUBLE AS t FROM ${literal(path)}`,
      );
      const [tenant, ...rest] = this.stream.split('/');
      const key = `${tenant}/rows/${rest.join('/')}/${String(lines.last).padStart(12, '0')}.parquet`;
      const { sha256 } = await this.objects.putFile(key, path);
      return {
        ...lines,
        objectKey: key,
        sha256,
        columns: names,
        newestKnownAt: newest.k ?? 0,
        newestEventTime: newest.t ?? 0,
      };
    });
    if (!segment) return;
    const { path: _path, ...found } = segment;
    const _id = `${this.stream}/${segment.last}`; // I2
    await this.documents.segments.create({ _id, stream: this.stream, first, watermarks: this.watermarks, ...found });
    this.compacted = segment.last;
    this.tailRows -= segment.rows;
    const done = { stream: this.stream, sequence: { $lte: segment.last }, 'pending.0._id': { $exists: false } };
    await this.documents.batches.deleteMany(done);
  }

  private async rowsOfSegment(segment: SegmentDocument, horizon: number, byEvent: boolean): Promise<Row[]> {
    const path = await this.objects.getFile(segment.objectKey, segment.sha256);
    const cells = Object.entries(this.columns).map(([name, kind]) => {
      if (!segment.columns.includes(name)) return ', NULL';
      return kind === 'number' ? `, TRY_CAST("c_${name}" AS DOUBLE)` : `, "c_${name}"`;
    });
    const where = Number.isFinite(horizon) ? `WHERE k >= ${horizon}${byEvent ? ` OR t >= ${horizon}` : ''}` : '';
    const sql = `SELECT e, t::DOUBLE, k::DOUBLE${cells.join('')} FROM ${literal(path)} ${where} ORDER BY seq`;
    const rows = await withDuckDB(async ({ connection }) => (await connection.runAndReadAll(sql)).getRowsJS());
    return rows.map(([e, t, k, ...values]) => ({
      entityId: e as string,
      eventTime: t as number,
      knownAt: k as number,
      cells: values.map((value) => (value ?? undefined) as Row['cells'][number]),
    }));
  }
}

/** With what events are told. */
export interface Tell {
  readonly outbox: Outbox;
  readonly cause: Cause;
}

/** Where all rows of a stream can be read. */
export interface LogFiles {
  readonly segments: string[];
  /** Columns that any segment has. */
  readonly columns: ReadonlySet<string>;
  readonly lines: string | undefined;
}
