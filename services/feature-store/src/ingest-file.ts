/**
 * Files of rows, uploaded in chunks: kept unpacked in a folder until they are whole, read by DuckDB, taken in part by part.
 *
 * I1  Uploads come in side by side, each at its sender's pace; only what is whole has its turn. One that stands still holds
 *     up nobody, and the door ends it.
 * I2  So many are under way at most; one that was begun is not refused when it is whole.
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type FileDescription, type IngestFileRequest, type IngestReply, own } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Metrics } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { Ahead } from './ahead.js';
import { type Duck, isFull, withDuckDB } from './duckdb.js';
import { errors } from './errors.js';
import { Ingest } from './ingest.js';
import type { ModelView } from './model-view.js';
import { Models } from './models.js';
import { QuarantinedRows } from './quarantine.documents.js';
import { shaped } from './rows/csv-shape.js';
import { unpacking } from './rows/expansion.js';
import { type Intake, refuse, takeIn } from './rows/intake.js';
import { type FilePart, type Format, formats, rowsOfFile } from './rows/row-files.js';
import { lineOf } from './serial.js';

/** A file's bytes as they are sent. */
const byteLimit = 1024 ** 3;
const filesAtOnce = 8;

@Injectable()
export class IngestFile {
  private readonly turns = lineOf('files', filesAtOnce);
  private underWay = 0;
  private refused = 0;

  constructor(
    private readonly models: Models,
    private readonly ingest: Ingest,
    private readonly quarantined: QuarantinedRows,
    private readonly ahead: Ahead,
    metrics: Metrics,
  ) {
    metrics.queue('files', filesAtOnce, () => ({ depth: this.underWay, refused: this.refused }));
  }

  /**
   * Takes a file in. Bad rows are counted, and the first hundred listed by their index in the file; suspect ones are set
   * aside; the good ones are in. The watermark holds once all of them are.
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
        await keep(chunks(messages), description.format as Format, path);
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
    const reply: IngestReply = { accepted: 0, duplicates: 0, rejected: [], rejectedCount: 0, quarantined: 0 };
    const columns = view.ingestible(source);
    const declared = own(view.spec.spec.sources, source)!;
    for await (const part of rowsOfFile(duck, path, format as Format, declared)) {
      const latest = 'broken' in part ? 0 : this.ahead.latestKnownAt(view, part.rows);
      const { rows, suspect } = good(part, columns, declared.ranges, reply, latest);
      const aside = await this.quarantined.setAside(view, source, suspect);
      const { accepted, duplicates } = await this.ingest.record(view, source, rows, undefined, causeOf);
      reply.accepted += accepted;
      reply.duplicates += duplicates + aside.duplicates;
      reply.quarantined += aside.quarantined;
    }
    await this.ingest.ingest(view.tenant, { model, source, rows: [], watermark }, causeOf);
    return reply;
  }
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

/** Writes an upload into a file, unpacked, and looked over as it passes. Throws FILE_UNREADABLE or FILE_EXPANDS. */
async function keep(sent: AsyncIterable<Buffer>, format: Format, path: string): Promise<void> {
  const source = Readable.from(sent);
  const file = createWriteStream(path);
  try {
    if (format === 'parquet') await pipeline(source, file);
    else if (format === 'csv') await pipeline(source, shaped(), file);
    else await pipeline(source, ...unpacking(), shaped(), file);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw code.startsWith('Z_') ? errors.FILE_UNREADABLE({ format, problem: message }) : error;
  }
}

/** The rows of a part that can be kept, and the suspect ones; the others are counted in the reply. */
function good(
  part: FilePart,
  columns: Parameters<typeof takeIn>[0],
  ranges: Parameters<typeof takeIn>[2],
  reply: IngestReply,
  latestKnownAt: number,
): Pick<Intake, 'rows' | 'suspect'> {
  if ('broken' in part) {
    for (const row of part.broken) refuse(reply, row);
    return { rows: [], suspect: [] };
  }
  const { rows, suspect, rejected, rejectedCount } = takeIn(columns, part.rows, ranges, latestKnownAt);
  for (const row of rejected) refuse(reply, { ...row, index: part.indexes[row.index] });
  reply.rejectedCount += rejectedCount - rejected.length;
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

async function* chunks(messages: AsyncIterator<IngestFileRequest>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for (let next = await messages.next(); !next.done; next = await messages.next()) {
    const { part } = next.value;
    if (part?.$case !== 'chunk') throw errors.FILE_WITHOUT_DESCRIPTION({});
    bytes += part.value.length;
    if (bytes > byteLimit) throw errors.FILE_TOO_LARGE({ bytes, limit: byteLimit });
    yield part.value;
  }
}
