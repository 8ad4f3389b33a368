/**
 * Files of rows, uploaded in chunks: kept unpacked in a folder until they are whole, read by DuckDB, taken in part by part.
 *
 * I1  Uploads come in side by side, each at its sender's pace; only what is whole has its turn. One that stands still holds
 *     up nobody, and the door ends it.
 * I2  So many are under way at most; one that was begun is not refused when it is whole.
 * I3  Of a file nothing is taken unless all of it is here and can be read to its end: its sender has ended the stream (the
 *     door sees to that), its length and hash are those that were promised, and what packed it says that it is whole.
 * I4  Each of its rows is accepted, a duplicate, set aside or rejected.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type FileDescription, type IngestFileRequest, IngestReply, own, type SourceRow } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Metrics } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { Ahead } from './ahead.js';
import { type Duck, isFull, withDuckDB } from './duckdb.js';
import { errors } from './errors.js';
import { Ingest, type Taken } from './ingest.js';
import type { ModelView } from './model-view.js';
import { Models } from './models.js';
import { unpacking } from './rows/expansion.js';
import type { Fault } from './rows/file-row.js';
import { type Intake, takeIn } from './rows/intake.js';
import { RejectedRows } from './rows/rejected-rows.js';
import { type Format, formats, openFile, type PlacedRow } from './rows/row-files.js';
import { lineOf } from './serial.js';

/** A file's bytes as they are sent. */
const byteLimit = 1024 ** 3;
const filesAtOnce = 8;
/** Of columns that nobody reads. */
const unknownShown = 100;

@Injectable()
export class IngestFile {
  private readonly turns = lineOf('files', filesAtOnce);
  private underWay = 0;
  private refused = 0;

  constructor(
    private readonly models: Models,
    private readonly ingest: Ingest,
    private readonly ahead: Ahead,
    metrics: Metrics,
  ) {
    metrics.queue('files', filesAtOnce, () => ({ depth: this.underWay, refused: this.refused }));
  }

  /**
   * Takes a file in. Bad rows are counted, the first hundred listed by their index in the file, and they come back as a file
   * of their own; suspect ones are set aside; the good ones are in. The watermark holds once all of them are.
   */
  async take(
    tenant: string,
    parts: AsyncIterable<IngestFileRequest>,
    causeOf: (id: string, timeMs: number) => Cause,
  ): Promise<IngestReply> {
    if (this.underWay >= filesAtOnce) {
      this.refused++;
      throw errors.TOO_BUSY({ what: 'files', limit: filesAtOnce });
    }
    this.underWay++;
    try {
      return await uploaded(async (path) => {
        const messages = parts[Symbol.asyncIterator]();
        const description = await describe(messages);
        const view = this.models.of(tenant, description.model);
        view.ingestible(description.source);
        this.ahead.checkFile(view, description.source, description.watermark);
        await keep(chunks(messages, description), description.format as Format, path);
        return this.turns.run(() => withDuckDB((duck) => this.read(duck, path, view, description, causeOf)));
      });
    } finally {
      this.underWay--;
    }
  }

  private async read(
    duck: Duck,
    path: string,
    view: ModelView,
    { model, source, format, watermark }: FileDescription,
    causeOf: (id: string, timeMs: number) => Cause,
  ): Promise<IngestReply> {
    const columns = view.ingestible(source);
    const declared = own(view.spec.spec.sources, source)!;
    const { unknown, header, parts } = await openFile(duck, path, format as Format, declared);
    const reply = IngestReply.fromPartial({ unknownColumns: unknown.slice(0, unknownShown) });
    const rejected = new RejectedRows(header);
    for await (const part of parts) {
      reply.rows += part.length;
      const latest = (sent: readonly SourceRow[]) => this.ahead.latestKnownAt(view, sent);
      const { rows, suspect } = good(part, columns, declared.ranges, rejected, latest);
      count(reply, await this.ingest.take(view, source, { rows, suspect }, undefined, causeOf));
    }
    await this.ingest.ingest(view.tenant, { model, source, rows: [], watermark }, causeOf);
    const { shown, count: rejectedCount, file: rejectedFile, filed: rejectedInFile } = rejected;
    return { ...reply, rejected: shown, rejectedCount, rejectedFile, rejectedInFile };
  }
}

function count(reply: IngestReply, taken: Taken): void {
  for (const key of ['accepted', 'duplicates', 'quarantined', 'contradictory'] as const) reply[key] += taken[key];
}

/** Works with a path for the upload, which is gone afterwards. Throws TEMPORARY_DISK_FULL. */
async function uploaded<T>(work: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-upload-'));
  try {
    return await work(join(folder, 'upload'));
  } catch (error) {
    throw isFull(error as NodeJS.ErrnoException) ? errors.TEMPORARY_DISK_FULL({}) : error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes an upload into a file, unpacked. Throws FILE_UNREADABLE or FILE_EXPANDS. */
async function keep(sent: AsyncIterable<Buffer>, format: Format, path: string): Promise<void> {
  const source = Readable.from(sent);
  const file = createWriteStream(path);
  if (format !== 'csv.gz') return pipeline(source, file);
  const { stages, check } = unpacking();
  try {
    await pipeline(source, ...stages, file);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw code.startsWith('Z_') ? errors.FILE_UNREADABLE({ format, problem: message }) : error;
  }
  check();
}

/** The rows of a part that can be kept, and the suspect ones; the others are rejected. */
function good(
  part: readonly PlacedRow[],
  columns: Parameters<typeof takeIn>[0],
  ranges: Parameters<typeof takeIn>[2],
  refused: RejectedRows,
  latestKnownAt: (sent: readonly SourceRow[]) => number,
): Pick<Intake, 'rows' | 'suspect'> {
  const readable: PlacedRow[] = [];
  const sent: SourceRow[] = [];
  const faults = new Map<PlacedRow, Fault>();
  for (const placed of part) {
    if ('sent' in placed.row) {
      readable.push(placed);
      sent.push(placed.row.sent);
    } else faults.set(placed, placed.row);
  }
  const { rows, suspect, rejected } = takeIn(columns, sent, ranges, latestKnownAt(sent));
  for (const fault of rejected) faults.set(readable[fault.index], fault);
  for (const placed of part) if (faults.has(placed)) refused.add(placed, faults.get(placed)!);
  return { rows, suspect };
}

async function describe(messages: AsyncIterator<IngestFileRequest>): Promise<FileDescription> {
  const first = await messages.next();
  const part = first.done ? undefined : first.value.part;
  if (part?.$case !== 'description') throw errors.FILE_WITHOUT_DESCRIPTION({});
  const { format } = part.value;
  if (!formats.includes(format as Format)) throw errors.FILE_FORMAT_UNKNOWN({ format });
  return part.value;
}

/** What was sent, once it agrees with what was said of it. Throws FILE_TOO_LARGE or FILE_INCOMPLETE. */
async function* chunks(
  messages: AsyncIterator<IngestFileRequest>,
  { length, sha256 }: FileDescription,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let bytes = 0;
  for (let next = await messages.next(); !next.done; next = await messages.next()) {
    const { part } = next.value;
    if (part?.$case !== 'chunk') throw errors.FILE_WITHOUT_DESCRIPTION({});
    bytes += part.value.length;
    if (bytes > byteLimit) throw errors.FILE_TOO_LARGE({ bytes, limit: byteLimit });
    if (sha256) hash.update(part.value);
    yield part.value;
  }
  if (length && length !== bytes) throw errors.FILE_INCOMPLETE({ what: 'bytes', said: `${length}`, found: `${bytes}` });
  const found = hash.digest('hex');
  if (sha256 && sha256.toLowerCase() !== found)
    throw errors.FILE_INCOMPLETE({ what: 'as SHA-256', said: sha256.slice(0, 64), found });
}
