/** Every row of a file is accepted, a duplicate, set aside or rejected; its cells are read by a strict grammar. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outcomesSource } from '@driftloop/contracts';
import { DuckDBInstance } from '@duckdb/node-api';
import { Models } from './models.js';
import { declared, specJson } from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';

let home: string;
let store: Running;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-file-rows-'));
  store = await runFeatureStore({ home });
  await store.declare(declared());
});
afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const header = 'entity_id,event_time,known_at,delay';
const time = '2013-03-08T10:00:00Z';
const csv = (...lines: string[]) => Buffer.from(`${[header, ...lines].join('\n')}\n`);
const take = (bytes: Buffer, format = 'csv', source = 'departed') =>
  store.ingestFile({ model: 'flights', source, format }, bytes);
const rowOf = (entityId: string, source = 'departed') => {
  const { view } = store.service.app.get(Models).of('main', 'flights');
  const row = { entityId, eventTime: Date.parse(time), knownAt: Date.parse(time), cells: [] };
  return view.held(source, row)?.cells;
};
const cellOf = async (text: string) => {
  const reply = await take(csv(`F1,${time},${time},${text}`));
  return reply.rejectedCount ? reply.rejected[0].code : rowOf('F1')![0];
};

it.each([
  ['5', 5],
  [' -1.5e1 ', -15],
  ['', undefined],
  [' ', undefined],
  ['\t', undefined],
  ['\u00a0', undefined],
  ['NaN', undefined],
  ['0x10', 'TYPE_WRONG'],
  ['0b11', 'TYPE_WRONG'],
  ['1_000', 'TYPE_WRONG'],
  ['"1,5"', 'TYPE_WRONG'],
  ['inf', 'NUMBER_INFINITE'],
])('reads the number %j as %j', async (text, cell) => {
  expect(await cellOf(text)).toBe(cell);
});

it('names the line, the column and what to write where a time is none', async () => {
  const texts = ['2013-02-30', '2013', '0', 'noon'];
  const { accepted, rejected } = await take(csv(...texts.map((text, i) => `F${i},${time},${text},1`)));
  expect([accepted, rejected.map(({ code }) => code)]).toEqual([0, Array(4).fill('TIME_INVALID')]);
  expect(rejected[0].reason).toBe('line 2: "known_at" is "2013-02-30", a day that no calendar has');
  expect(rejected[1].reason).toMatch(/^line 3: "known_at" is "2013", no plausible epoch .* write it as 2013-03-08T/);
});

it('takes times with a short offset, and epochs in seconds, ms, µs and ns alike', async () => {
  const texts = ['2013-03-08 10:00:00+00', '1362736800', '1362736800000', '1362736800000000', '1362736800000000000'];
  await take(csv(...texts.map((text, i) => `F${i},${text},${text},${i}`)));
  expect(texts.map((_, i) => rowOf(`F${i}`)?.[0])).toEqual([0, 1, 2, 3, 4]);
});

it('counts every row once, and gives the rejected ones back as a file that can be mended', async () => {
  const lines = [
    `F1,${time},${time},1`,
    '',
    `F1,${time},${time},1`,
    `F2,${time},${time},0x1`,
    `F3,${time},${time}`,
    '   ',
    `F4,${time},${time},1,2`,
    `"F5"x,${time},${time},1`,
    `F"6,${time},${time},1`,
    `"F7\nof two lines",${time},${time},1`,
    `"F8,${time},${time},1`,
    `F9,${time},${time},9`,
  ];
  const reply = await take(csv(...lines));
  expect([reply.rows, reply.accepted, reply.duplicates, reply.rejectedCount]).toEqual([10, 3, 1, 6]);
  expect(rowOf('F7\nof two lines')).toEqual([1]);
  const places = reply.rejected.map(({ index, code, reason }) => [index, code, reason.split(':')[0]]);
  expect(places).toEqual([
    [2, 'TYPE_WRONG', 'line 5'],
    [3, 'LINE_BROKEN', 'line 6'],
    [4, 'LINE_BROKEN', 'line 8'],
    [5, 'LINE_BROKEN', 'line 9'],
    [6, 'LINE_BROKEN', 'line 10'],
    [8, 'LINE_BROKEN', 'line 13'],
  ]);
  expect(reply.rejected.at(-1)!.reason).toMatch(/begins with a quote and does not end with one; close the quote/);
  const back = reply.rejectedFile.toString();
  expect(back.split('\n')).toEqual([header, ...[3, 4, 6, 7, 8, 10].map((i) => lines[i]), '']);
  expect(reply.rejectedInFile).toBe(6);
  const mended = back.replace('0x1', '1').replace(`F3,${time},${time}`, '$&,3').replace('1,2', '1').replaceAll('"', '');
  expect(await take(Buffer.from(mended))).toMatchObject({ rows: 6, accepted: 6, rejectedFile: Buffer.alloc(0) });
});

it('counts and names columns that the source does not declare, and refuses a file that lacks one that it does', async () => {
  const wide = Buffer.from(`${header},gate,Delay\nF1,${time},${time},1,A,2\n`);
  expect(await take(wide)).toMatchObject({ accepted: 1, unknownColumns: ['gate', 'Delay'] });
  const narrow = take(Buffer.from(`entity_id,event_time,known_at,dealy\nF2,${time},${time},1\n`));
  const message = expect.stringMatching(/lacks delay \(it has entity_id, event_time, known_at, dealy\)/);
  await expect(narrow).rejects.toMatchObject({ code: 'FILE_COLUMN_MISSING', message });
});

it('reads a declared column that a file may lack as missing', async () => {
  const optional = specJson.replace(
    'columns: { lost: number, airborne: number }',
    '$&, file: { optional: [airborne] }',
  );
  await store.declare(declared(optional, 2));
  const file = `entity_id,event_time,known_at,lost\nF1,${time},${time},7\n`;
  expect(await take(Buffer.from(file), 'csv', 'arrived')).toMatchObject({ accepted: 1 });
  expect(rowOf('F1', 'arrived')).toEqual([7, undefined]);
});

it('refuses a file with two columns of one name, and one without a header', async () => {
  const twice = take(Buffer.from(`${header},delay\nF1,${time},${time},1,2\n`));
  await expect(twice).rejects.toMatchObject({ code: 'FILE_COLUMN_TWICE', details: { twice: ['delay'] } });
  await expect(take(Buffer.from('\n\n'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
});

it('reads UTF-8 and UTF-16 with a byte-order mark, and rejects by name what is neither', async () => {
  const text = `${header}\r\nZürich,${time},${time},1\r\n`;
  const little = Buffer.from(`\ufeff${text}`, 'utf16le');
  expect(await take(Buffer.from(`\ufeff${text}`))).toMatchObject({ accepted: 1 });
  expect(await take(little)).toMatchObject({ duplicates: 1 });
  expect(await take(Buffer.from(little).swap16())).toMatchObject({ duplicates: 1 });
  const latin1 = await take(Buffer.from(text, 'latin1'));
  expect(latin1.rejected).toMatchObject([
    { code: 'TEXT_INVALID', reason: expect.stringMatching(/save the file as UTF-8/) },
  ]);
  await expect(take(little.subarray(2))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
});

/** One row of Parquet. */
async function parquet(id: string, delay: string, at = `TIMESTAMP '2013-03-08 10:00:00'`): Promise<Buffer> {
  const path = join(home, 'rows.parquet');
  const connection = await (await DuckDBInstance.create()).connect();
  const sql = `SELECT ${id} AS entity_id, ${at} AS event_time, ${at} AS known_at, ${delay} AS delay`;
  await connection.run(`COPY (${sql}) TO '${path}' (FORMAT PARQUET)`);
  connection.closeSync();
  return readFileSync(path);
}

it.each([
  ["'1001'", '5', undefined, 5],
  ['1001::DOUBLE', '5::FLOAT', undefined, 5],
  ['1001::DECIMAL(10,2)', '5::DECIMAL(10,2)', 'TIMESTAMPTZ', 5],
  ['1001::BIGINT', 'true', 'TIMESTAMP_NS', 1],
  ['1001::INTEGER', 'false', undefined, 0],
  ["'1001'", "' '", undefined, undefined],
])('reads a Parquet row of the entity %s and the number %s', async (id, number, type, cell) => {
  const at = `TIMESTAMP '2013-03-08 10:00:00'${type ? `::${type}` : ''}`;
  expect(await take(await parquet(id, number, at), 'parquet')).toMatchObject({ rows: 1, accepted: 1 });
  expect(rowOf('1001')).toEqual([cell]);
});

it.each([
  ["'F1'", `DATE '2013-03-08'`, 'delay'],
  ["'F1'", `TIMESTAMP '2013-03-08'`, 'delay'],
  ["'F1'", '[1]', 'delay'],
  ["'F1'::BLOB", '1', 'entity_id'],
])(
  'refuses a Parquet file of the entity %s and the number %s by the name of its column',
  async (id, number, column) => {
    const refused = take(await parquet(id, number), 'parquet');
    await expect(refused).rejects.toMatchObject({ code: 'FILE_COLUMN_TYPE', details: { column } });
  },
);

it('knows that labels are no file of rows', async () => {
  await expect(take(csv(), 'csv', outcomesSource)).rejects.toMatchObject({ code: 'OUTCOMES_NOT_INGESTED' });
});
