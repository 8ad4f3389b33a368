/** Of a file nothing is taken unless all of it has come, as it was sent, and can be read to its end. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FileDescription } from '@driftloop/contracts';
import { DuckDBInstance } from '@duckdb/node-api';
import { Models } from './models.js';
import { declared } from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';

let home: string;
let store: Running;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-whole-files-'));
  store = await runFeatureStore({ home });
  await store.declare(declared());
});
afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const description = { model: 'flights', source: 'departed', format: 'csv' };
const rows = Array.from({ length: 5000 }, (_, i) => `F${i},2013-03-08T10:00:00Z,2013-03-08T10:05:00Z,${i % 97}`);
const csv = Buffer.from(`entity_id,event_time,known_at,delay\n${rows.join('\n')}\n`);
const watermark = new Date('2013-03-09T00:00:00Z');
const take = (bytes: Buffer, more: Partial<FileDescription> = {}) =>
  store.ingestFile({ ...description, ...more }, bytes);
/** What the store has taken in: rows in memory, and the promise. */
const taken = () => {
  const { view, watermarks } = store.service.app.get(Models).of('main', 'flights');
  return [view.size, watermarks.of('departed')];
};
const nothing = [0, undefined];

it('takes nothing of an upload that its sender breaks off, however much of it has come', async () => {
  const ended = Array.from({ length: 20 }, async (_, i) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stream = store.client.ingestFile(() => resolve());
    const value = FileDescription.fromPartial({ ...description, watermark });
    stream.write({ part: { $case: 'description', value } });
    stream.write({ part: { $case: 'chunk', value: csv.subarray(0, 1000 + i) } }, () =>
      setImmediate(() => stream.cancel()),
    );
    await promise;
  });
  await Promise.all(ended);
  // Turns are taken in order: what was taken of theirs would be there before this one is answered.
  await expect(take(csv, { length: 1 })).rejects.toMatchObject({ code: 'FILE_INCOMPLETE' });
  expect(taken()).toEqual(nothing);
});

it('takes what agrees with the length and the hash that it was said to have, and nothing of what does not', async () => {
  const said = { length: csv.length, sha256: createHash('sha256').update(csv).digest('hex') };
  const cut = csv.subarray(0, csv.length - 2);
  const changed = Buffer.from(csv);
  changed[csv.length - 2] ^= 1;
  for (const bytes of [cut, changed, Buffer.alloc(0)])
    await expect(take(bytes, { ...said, watermark })).rejects.toMatchObject({
      code: 'FILE_INCOMPLETE',
      retriable: true,
    });
  await expect(take(cut, { length: csv.length })).rejects.toMatchObject({ code: 'FILE_INCOMPLETE' });
  await expect(take(changed, { sha256: said.sha256 })).rejects.toMatchObject({ code: 'FILE_INCOMPLETE' });
  expect(taken()).toEqual(nothing);
  expect(await take(csv, { ...said, sha256: said.sha256.toUpperCase() })).toMatchObject({ accepted: 5000 });
});

const packed = gzipSync(csv);
const flipped = (at: number) => {
  const bytes = Buffer.from(packed);
  bytes[at] ^= 0xff;
  return bytes;
};

it.each([
  ['half of it', packed.subarray(0, packed.length / 2)],
  ['all but its last byte', packed.subarray(0, packed.length - 1)],
  ['a wrong CRC', flipped(packed.length - 8)],
  ['a wrong length', flipped(packed.length - 1)],
  ['a spoiled block', flipped(packed.length >> 1)],
  ['a second member that is cut', Buffer.concat([packed, gzipSync(csv).subarray(0, 500)])],
  ['the beginning of a second member', Buffer.concat([packed, packed.subarray(0, 1)])],
  ['text behind its end', Buffer.concat([packed, Buffer.from('F1')])],
  ['a member behind zeros', Buffer.concat([packed, Buffer.alloc(512), packed])],
])('takes nothing of a gzipped file with %s', async (_, bytes) => {
  const refused = take(bytes, { format: 'csv.gz', watermark });
  await expect(refused).rejects.toMatchObject({ code: 'FILE_UNREADABLE', details: { format: 'csv.gz' } });
  expect(taken()).toEqual(nothing);
});

it('takes a gzipped file in several members and one that zeros fill up, as gunzip does', async () => {
  const half = csv.indexOf('F2500');
  const members = [csv.subarray(0, half), csv.subarray(half)].map((part) => gzipSync(part));
  const filled = Buffer.concat([...members, Buffer.alloc(200_000)]);
  expect(await take(filled, { format: 'csv.gz' })).toMatchObject({ rows: 5000, accepted: 5000 });
});

it('takes nothing of a Parquet file whose last row group is spoiled', async () => {
  const path = join(home, 'rows.parquet');
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(
    `COPY (SELECT 'F' || i AS entity_id, TIMESTAMP '2013-03-08' AS event_time, TIMESTAMP '2013-03-08' AS known_at,
       random() AS delay FROM range(40000) t(i)) TO '${path}' (FORMAT PARQUET, ROW_GROUP_SIZE 4096, COMPRESSION zstd)`,
  );
  connection.closeSync();
  const bytes = readFileSync(path);
  const footer = bytes.readUInt32LE(bytes.length - 8);
  bytes.fill(0xff, bytes.length - 8 - footer - 20_000, bytes.length - 8 - footer);
  await expect(take(bytes, { format: 'parquet' })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  expect(taken()).toEqual(nothing);
});
