/** Small files that would become large ones, through the door: each is refused by name, before it costs what it is made to. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGzip, gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { withDuckDB } from './duckdb.js';
import { declared } from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';

let home: string;
let store: Running;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-bombs-'));
  store = await runFeatureStore({ home });
  await store.declare(declared());
});
afterAll(async () => {
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const header = 'entity_id,event_time,known_at,delay';
const csv = (...lines: string[]) => Buffer.from(`${[header, ...lines].join('\n')}\n`);
const good = 'F1,2013-03-08T10:00:00Z,2013-03-08T10:05:00Z,5';
const take = (bytes: Buffer, format = 'csv') =>
  store.ingestFile({ model: 'flights', source: 'departed', format }, bytes);

/** Rows of a query as a Parquet file. */
async function parquet(sql: string, options = ''): Promise<Buffer> {
  const path = join(home, 'rows.parquet');
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(`COPY (${sql}) TO '${path}' (FORMAT PARQUET ${options})`);
  connection.closeSync();
  return readFileSync(path);
}

const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
/** A Parquet file that is a footer, nothing else. */
function footer(bytes: number[]): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([Buffer.from('PAR1'), Buffer.from(bytes), length, Buffer.from('PAR1')]);
}

it('unpacks no more of a gzipped file than it may become', async () => {
  const zeros = await gzipped(Buffer.alloc(1024 ** 2, `${good}\n`), 128);
  expect(zeros.length).toBeLessThan(4 * 1024 ** 2);
  await expect(take(zeros, 'csv.gz')).rejects.toMatchObject({ code: 'FILE_EXPANDS', details: { format: 'csv.gz' } });
});

it('takes a gzipped file in members, and one that is cut off is unreadable', async () => {
  const rows = [good, good.replace('F1', 'F2')].map((line, i) => gzipSync(i ? `${line}\n` : csv(line)));
  expect((await take(Buffer.concat(rows), 'csv.gz')).accepted).toBe(2);
  const whole = gzipSync(csv(good));
  const cut = take(whole.subarray(0, whole.length - 12), 'csv.gz');
  await expect(cut).rejects.toMatchObject({ code: 'FILE_UNREADABLE', details: { format: 'csv.gz' } });
});

it('takes no line that has a thousand columns, however many lines there are of them', async () => {
  const wide = `${'1,'.repeat(1500)}1`;
  await expect(take(csv(good, wide))).rejects.toMatchObject({ code: 'FILE_EXPANDS', details: { limit: 1000 } });
  const header = Buffer.from(`${Array.from({ length: 1500 }, (_, i) => `c${i}`).join(',')}\n${wide}\n`);
  await expect(take(header)).rejects.toMatchObject({ code: 'FILE_EXPANDS', details: { limit: 1000 } });
});

it.each([
  ['superfluous cells', Array.from({ length: 500 }, () => `${'1,'.repeat(900)}1`)],
  ['missing cells', Array.from({ length: 100_000 }, () => 'x')],
  ['quotes that do not end where their cell does', Array.from({ length: 100_000 }, () => '"a"b,1,2,3')],
  ['bytes that are no text', Array.from({ length: 100_000 }, () => '\xff,1,2,3')],
])('rejects each line with %s, and keeps of them no more than a megabyte', async (_, lines) => {
  const reply = await take(Buffer.from(csv(good, ...lines).toString(), 'latin1'));
  expect([reply.rows, reply.rejectedCount]).toEqual([lines.length + 1, lines.length]);
  expect(reply.rejectedFile.length).toBeLessThanOrEqual(1024 ** 2);
});

it('reads a line again once at most, however many quotes never end', async () => {
  const opening = Array.from({ length: 100_000 }, (_, i) => (i % 3 ? '"a,2013-03-08,2013-03-08,""' : '""'));
  const reply = await take(csv(good, ...opening));
  expect([reply.rows, reply.rejectedCount]).toEqual([100_001, 100_000]);
});

it('refuses a line that does not end', async () => {
  const endless = `"${'x'.repeat(300_000)}`;
  await expect(take(csv(good, endless))).rejects.toMatchObject({ code: 'FILE_EXPANDS', details: { limit: 262_144 } });
});

it.each([
  ['columns than there are bytes', 'FILE_UNREADABLE', footer([0x15, 2, 0x19, 0xfc, ...varint(5_000_000), 0, 0])],
  ['bytes of a name than there are', 'FILE_UNREADABLE', footer([0xf8, ...varint(2_000_000_000), 0])],
  ['columns than a footer may', 'FILE_EXPANDS', footer([0x19, 0xfc, ...varint(300_000), ...Array(300_001).fill(0)])],
  ['levels than a footer may', 'FILE_EXPANDS', footer([...Array(100_000).fill(0x1c), ...Array(100_001).fill(0)])],
])('refuses a Parquet footer that claims more %s', async (_, code, bytes) => {
  await expect(take(bytes, 'parquet')).rejects.toMatchObject({ code });
});

it('takes of a dictionary of one large text what shows that it is too large', async () => {
  const from = "TIMESTAMP '2013-03-08 10:00:00' + INTERVAL (i) SECOND";
  const sql = `SELECT repeat('x', 1000000) AS entity_id, ${from} AS event_time, ${from} AS known_at, 1 AS delay FROM range(1500) t(i)`;
  const bytes = await parquet(sql);
  expect(bytes.length).toBeLessThan(200_000);
  const reply = await take(bytes, 'parquet');
  expect(reply).toMatchObject({ accepted: 0, rejectedCount: 1500, rejected: { 0: { code: 'TEXT_TOO_LONG' } } });
});

it('refuses a Parquet file of more rows than its bytes can tell apart', async () => {
  const row =
    "SELECT 'F9' AS entity_id, TIMESTAMP '2013-03-08' AS event_time, TIMESTAMP '2013-03-08' AS known_at, 1 AS delay";
  const bytes = await parquet(`${row} FROM range(3000000)`, ', ROW_GROUP_SIZE 122880');
  await expect(take(bytes, 'parquet')).rejects.toMatchObject({ code: 'FILE_EXPANDS', details: { format: 'parquet' } });
});

it('refuses a Parquet file whose pages need more memory than a file may', async () => {
  const one = "SELECT repeat('x', 400000000) AS entity_id, now() AS event_time, now() AS known_at, 1 AS delay";
  const bytes = await parquet(one, ', COMPRESSION zstd');
  expect(bytes.length).toBeLessThan(200_000);
  await expect(take(bytes, 'parquet')).rejects.toMatchObject({ code: 'FILE_TOO_COSTLY', retriable: false });
});

it('says of a Parquet file that is spoiled behind its footer that it is unreadable', async () => {
  const bytes = await parquet(
    "SELECT 'F' || i AS entity_id, now() AS event_time, now() AS known_at, random() AS delay FROM range(5000) t(i)",
  );
  bytes.fill(0xff, 4, 2000);
  await expect(take(bytes, 'parquet')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
});

it('says that the disk is full where there is no room, to be tried again, and not that the file is at fault', async () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const spilled = new Error('IO Error: Could not write file "/tmp/x": No space left on device');
  for (const failure of [full, spilled]) {
    const refused = withDuckDB(async () => {
      throw failure;
    });
    await expect(refused).rejects.toMatchObject({ code: 'TEMPORARY_DISK_FULL', retriable: true });
  }
});

it('fetches nothing, spills within bounds, and lets nobody change that', async () => {
  await withDuckDB(async ({ rows, run }) => {
    const names = "'autoinstall_known_extensions', 'autoload_known_extensions', 'lock_configuration', 'memory_limit'";
    const found = await rows<{ name: string; value: string }>(
      `SELECT name, value FROM duckdb_settings() WHERE name IN (${names}) ORDER BY name`,
    );
    expect(found.map(({ value }) => value)).toEqual(['false', 'false', 'true', '286.1 MiB']);
    await expect(run("SET memory_limit = '100GB'")).rejects.toThrow(/locked/);
  });
});

it('goes on with the next file', async () => {
  expect((await take(csv(good.replace('F1', 'F7')))).accepted).toBe(1);
});

/** A chunk many times over, gzipped. */
async function gzipped(chunk: Buffer, times: number): Promise<Buffer> {
  const gzip = createGzip();
  const parts: Buffer[] = [];
  gzip.on('data', (part: Buffer) => parts.push(part));
  for (let i = 0; i < times; i++) if (!gzip.write(chunk)) await new Promise((resolve) => gzip.once('drain', resolve));
  gzip.end();
  await new Promise((resolve) => gzip.once('end', resolve));
  return Buffer.concat(parts);
}
