/** Dead letters of a home of before: each is there, and numbers of replays go on rising. */
import { DatabaseSync } from 'node:sqlite';
import { tellLettersByPlace } from './letters-by-place.js';

const columns = `seq INTEGER PRIMARY KEY AUTOINCREMENT, group_name TEXT NOT NULL, id TEXT NOT NULL,
  topic TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL, key TEXT NOT NULL, time NUMERIC NOT NULL,
  source TEXT NOT NULL, traceparent TEXT, attempt INTEGER NOT NULL, error TEXT NOT NULL, data TEXT NOT NULL,
  UNIQUE (group_name, id)`;

let db: DatabaseSync;
beforeEach(() => {
  db = new DatabaseSync(':memory:');
});
afterEach(() => db.close());

const add = (table: string, id: string, offset: number) =>
  db
    .prepare(
      `INSERT INTO ${table} (group_name, id, topic, partition, offset, key, time, source, attempt, error, data)
       VALUES ('g', ?, 't', 0, ?, 'k', 0, 's', 1, '{}', 'null')`,
    )
    .run(id, offset);
const rowsOf = (table: string) => db.prepare(`SELECT seq, id, offset FROM ${table} ORDER BY seq`).all();

it('keeps every letter, takes a second one of the same id, and no second one of the same place', () => {
  for (const table of ['bus_dead', 'bus_replays']) db.exec(`CREATE TABLE ${table} (${columns})`);
  add('bus_dead', 'a', 0);
  add('bus_dead', 'b', 1);
  tellLettersByPlace(db);
  expect(rowsOf('bus_dead')).toEqual([
    { seq: 1, id: 'a', offset: 0 },
    { seq: 2, id: 'b', offset: 1 },
  ]);
  add('bus_dead', 'a', 2);
  expect(() => add('bus_dead', 'c', 2)).toThrow(/UNIQUE/);
});

it('numbers replays on from the last one, though none is there any more', () => {
  for (const table of ['bus_dead', 'bus_replays']) db.exec(`CREATE TABLE ${table} (${columns})`);
  for (let i = 0; i < 7; i++) add('bus_replays', `r${i}`, i);
  db.exec('DELETE FROM bus_replays');
  tellLettersByPlace(db);
  add('bus_replays', 'next', 9);
  expect(rowsOf('bus_replays')).toEqual([{ seq: 8, id: 'next', offset: 9 }]);
});

it('leaves a home without a bus as it is', () => {
  tellLettersByPlace(db);
  expect(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()).toEqual({ n: 0 });
});
