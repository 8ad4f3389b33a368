/**
 * The durable rows of a source: batches as they came, compacted into Parquet segments.
 *
 * I1  A batch is one document: it is there with all of its rows, its watermark and its event, or not at all.
 * I2  A segment's document is written after its object; batches up to its `last` are thereby superseded and then deleted.
 *     A crash in between leaves batches that readers skip and the next compaction deletes.
 * I3  One writer a stream: a taken sequence is ANOTHER_WRITER, never an overwrite; the log is overtaken then, and is to be
 *     opened anew.
 * I4  Where the store is led, a leader that opens a stream takes a sequence for its fencing number: whoever led before
 *     comes too late with its next batch, and cannot open the stream again.
 * I5  Segments are a chain: the next begins where the last one ends, once. A reader takes segments and the batches after
 *     the last of them, and looks again where a segment has come meanwhile, whoever made it.
 */
import type { Cause, Emission, Outbox } from '@driftloop/documents';
import { isDuplicateKey } from '@driftloop/documents';
import type { Objects } from '@driftloop/objects';
import type { Leadership } from '@driftloop/service';
import { errors } from '../errors.js';
import type { BatchDocument, FeatureStoreDocuments, SegmentDocument } from '../feature-store.documents.js';
import { lineOf } from '../serial.js';
import { nameOf, type Row } from '../views/source-rows.js';
import { type Columns, linesOf, rowsOfLines } from './lines.js';
import { follow, type Promised, promising, type Withdrawal } from './promises.js';
import { readSegment, writeLines, writeSegment } from './segment-files.js';

/** Batches become a segment when either is reached. */
const compactAt = { rows: 20_000, batches: 1_000 };
const batchesAtOnce = 100;

export class RowLog {
  /** Sequence of the last batch; 0 before the first. */
  sequence = 0;
  private compacted = 0;
  private tailRows = 0;
  private compacting = false;
  /** Compaction moves rows between the two places that readers read: they take turns. */
  private readonly reading = lineOf('readers of rows', 100);
  /** Watermarks by part, as the log holds them. */
  readonly watermarks: (number | null)[] = [];
  /** The newest known-at of the rows that have been written or read here, and of all segments; undefined without any. */
  newestKnownAt: number | undefined;
  /** Whether somebody else has written here, or an append of ours went through without our knowing. */
  overtaken = false;

  /** `stream` is tenant/model/source. */
  private constructor(
    readonly stream: string,
    public columns: Columns,
    private readonly documents: FeatureStoreDocuments,
    private readonly objects: Objects,
    private readonly leadership: Leadership,
  ) {}

  /** Opens a stream where it was left. Throws ANOTHER_WRITER where a later leader has it. */
  static async open(
    stream: string,
    columns: Columns,
    documents: FeatureStoreDocuments,
    objects: Objects,
    leadership: Leadership,
  ): Promise<RowLog> {
    const log = new RowLog(stream, columns, documents, objects, leadership);
    const segments = await documents.segmentsOf(stream);
    const last = segments.at(-1);
    if (last) {
      log.refuseLater(last.fence);
      log.sequence = log.compacted = last.last;
      log.watermarks.push(...last.watermarks);
    }
    for (const { rows, newestKnownAt } of segments) if (rows) log.know(newestKnownAt);
    await log.readOn();
    while (leadership.fence && !(await log.fenced())) await log.readOn();
    return log;
  }

  private async readOn(): Promise<void> {
    for await (const batch of this.batchesAfter(this.sequence)) {
      this.refuseLater(batch.fence);
      this.count(batch);
    }
  }

  /** I4: false where somebody was faster. */
  private async fenced(): Promise<boolean> {
    if (this.sequence === 0) return true;
    this.leadership.check();
    const mark = this.batch([], undefined);
    try {
      await this.documents.batches.collection.insertOne(mark as never);
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
    this.count(mark);
    return true;
  }

  private refuseLater(fence = 0): void {
    if (fence > this.leadership.fence) throw this.another();
  }

  private another(): Error {
    this.overtaken = true;
    return errors.ANOTHER_WRITER({ view: this.stream, source: `${this.sequence + 1}` });
  }

  private batch(rows: readonly Row[], said: Promised | Withdrawal | undefined): BatchDocument {
    const sequence = this.sequence + 1;
    const { fence } = this.leadership;
    return {
      _id: `${this.stream}/${sequence}`,
      stream: this.stream,
      sequence,
      rows: rows.length,
      lines: linesOf(sequence, this.columns, rows),
      part: 0,
      watermark: null,
      ...said,
      ...(fence && { fence }),
    };
  }

  /** Makes rows durable with the promise and the events that come with them. Several batches must go in turn. */
  async append(
    rows: readonly Row[],
    said: Promised | Withdrawal | undefined,
    emit: readonly Emission[],
    tell: Tell,
  ): Promise<void> {
    const batch = this.batch(rows, said);
    try {
      if (emit.length) await tell.outbox.save(new this.documents.batches(batch), emit, tell.cause);
      else await this.documents.batches.collection.insertOne(batch as never);
    } catch (error) {
      throw isDuplicateKey(error) ? this.another() : error;
    }
    this.count(batch);
    for (const { knownAt } of rows) this.know(knownAt);
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
    const where = Number.isFinite(horizon) ? `WHERE k >= ${horizon}${byEvent ? ` OR t >= ${horizon}` : ''}` : '';
    return this.reading.run(() =>
      this.steadily(async (segments, tail) => {
        for (const segment of segments) {
          if (segment.newestKnownAt < horizon && !(byEvent && segment.newestEventTime >= horizon)) continue;
          each(await readSegment(this.objects, segment, this.columns, where));
        }
        for await (const batch of tail()) {
          const rows = rowsOfLines(batch.lines, this.columns);
          for (const { knownAt } of rows) this.know(knownAt);
          each(rows);
        }
      }),
    );
  }

  /** The rows that are there under the names of some, the first of each. Reads those of their event times. */
  find(rows: readonly Row[]): Promise<Row[]> {
    const names = new Set(rows.map(nameOf));
    const times = rows.map(({ eventTime }) => eventTime);
    const [first, last] = times.reduce(([a, b], t) => [Math.min(a, t), Math.max(b, t)], [times[0], times[0]]);
    return this.reading.run(() =>
      this.steadily(async (segments, tail) => {
        const found = new Map<string, Row>();
        const look = (some: Row[]) => {
          for (const row of some) if (names.has(nameOf(row)) && !found.has(nameOf(row))) found.set(nameOf(row), row);
        };
        for (const segment of segments)
          if (segment.newestEventTime >= first)
            look(await readSegment(this.objects, segment, this.columns, `WHERE t BETWEEN ${first} AND ${last}`));
        for await (const batch of tail()) if (batch.rows) look(rowsOfLines(batch.lines, this.columns));
        return [...found.values()];
      }),
    );
  }

  /** Local files with all rows: Parquet segments, and the batches since as lines, written into a folder. */
  files(folder: string): Promise<LogFiles> {
    return this.reading.run(() =>
      this.steadily(async (segments, tail) => {
        const files = segments.map(({ objectKey, sha256 }) => this.objects.getFile(objectKey, sha256));
        const paths = await Promise.all(files);
        const lines = await writeLines(folder, tail());
        return { segments: paths, columns: new Set(segments.flatMap(({ columns }) => columns)), lines: lines?.path };
      }),
    );
  }

  /** I5: reads again where a segment has come meanwhile. What is handed out twice is known by its sequence or its name. */
  private async steadily<T>(
    read: (segments: readonly SegmentDocument[], tail: () => AsyncGenerator<BatchDocument>) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      const segments = await this.documents.segmentsOf(this.stream);
      const found = await read(segments, () => this.batchesAfter(segments.at(-1)?.last ?? 0));
      const now = await this.documents.segmentsOf(this.stream);
      if (now.at(-1)?.last === segments.at(-1)?.last) return found;
    }
  }

  private count(batch: BatchDocument): void {
    this.sequence = batch.sequence;
    this.tailRows += batch.rows;
    follow(this.watermarks, batch);
  }

  private know(knownAt: number): void {
    this.newestKnownAt = Math.max(this.newestKnownAt ?? knownAt, knownAt);
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
    const before = (await this.documents.segmentsOf(this.stream)).at(-1);
    const first = (before?.last ?? 0) + 1;
    const { fence } = this.leadership;
    const watermarks = [...(before?.watermarks ?? [])];
    const batches = promising(this.batchesAfter(first - 1), watermarks);
    const { stream, columns } = this;
    const written = await writeSegment(this.objects, { stream, columns, fence }, batches);
    if (!written) return;
    const { appended, ...segment } = written;
    const document = { _id: `${stream}/${segment.last}`, stream, first, watermarks, ...segment };
    await this.link({ ...document, ...(fence && { fence }) }); // I2
    this.compacted = segment.last;
    this.tailRows -= appended;
    const done = { stream: this.stream, sequence: { $lte: segment.last }, 'pending.0._id': { $exists: false } };
    await this.documents.batches.deleteMany(done);
  }

  /** I5 */
  private async link(segment: SegmentDocument): Promise<void> {
    this.leadership.check();
    try {
      await this.documents.segments.create(segment);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      await this.objects.delete(segment.objectKey);
      throw this.another();
    }
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
