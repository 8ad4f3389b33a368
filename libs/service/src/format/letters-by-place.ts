/**
 * Format 2 of a home: dead letters are told by the place of their event. Until then by the id its sender gave, so that of
 * several events with one id the last alone was kept.
 *
 * I1  The numbers of letters go on where they were: a replay's is its offset, and must rise (libs/bus, embedded/dead-letters.ts).
 */
import type { DatabaseSync } from 'node:sqlite';

const columns = `seq INTEGER PRIMARY KEY AUTOINCREMENT, group_name TEXT NOT NULL, id TEXT NOT NULL,
  topic TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL, key TEXT NOT NULL, time NUMERIC NOT NULL,
  source TEXT NOT NULL, traceparent TEXT, attempt INTEGER NOT NULL, error TEXT NOT NULL, data TEXT NOT NULL`;

/** Inside the step's transaction. */
export function tellLettersByPlace(db: DatabaseSync): void {
  const exists = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
  for (const table of ['bus_dead', 'bus_replays']) {
    if (!exists.get(table)) continue;
    db.exec(`
      ALTER TABLE ${table} RENAME TO ${table}_before;
      CREATE TABLE ${table} (${columns}, UNIQUE (group_name, topic, partition, offset));
      INSERT INTO ${table} SELECT * FROM ${table}_before ORDER BY seq;
      DELETE FROM sqlite_sequence WHERE name = '${table}';
      INSERT INTO sqlite_sequence (name, seq) SELECT '${table}', seq FROM sqlite_sequence WHERE name = '${table}_before';
      DROP TABLE ${table}_before;`);
  }
}
