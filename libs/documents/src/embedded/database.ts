/** One SQLite file as the driver sees it: cached statements, transactions and the collections of each database. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { documentsPoints } from '../points.js';

/** What to do about an unindexed scan of more than `limit` documents. */
export interface ScanGuard {
  readonly limit: number;
  readonly onScan: 'throw' | 'warn' | 'allow';
}

/** A statement that gives rows as arrays. */
export type Statement = StatementSync;
export type Row = SQLInputValue[];

const stores = new WeakMap<DatabaseSync, Store>();

/** All connections on one DatabaseSync share its statements and tables. */
export class Store {
  private readonly statements = new Map<string, Statement>();
  private readonly followers: (() => void)[] = [];
  private depth = 0;

  static of(db: DatabaseSync): Store {
    const store = stores.get(db) ?? new Store(db);
    stores.set(db, store);
    return store;
  }

  private constructor(readonly db: DatabaseSync) {
    db.exec('CREATE TABLE IF NOT EXISTS doc_catalogue (name TEXT PRIMARY KEY, definition TEXT NOT NULL) WITHOUT ROWID');
  }

  /** A cached statement; its rows are arrays. */
  statement(sql: string): Statement {
    let statement = this.statements.get(sql);
    if (!statement) {
      statement = this.db.prepare(sql);
      statement.setReturnArrays(true);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  /** Forgets cached statements: after a change of schema. */
  forget(): void {
    this.statements.clear();
  }

  /** Runs `work` in one transaction (a savepoint inside another): all of it or nothing. `of`: the collection. */
  transaction<T>(of: string, work: () => T): T {
    const name = `doc_${this.depth}`;
    this.statement(`SAVEPOINT ${name}`).run();
    this.depth++;
    try {
      const result = work();
      if (this.depth === 1) documentsPoints.beforeCommit.publish(of);
      this.statement(`RELEASE ${name}`).run();
      if (this.depth === 1) documentsPoints.afterCommit.publish(of);
      return result;
    } catch (error) {
      this.undo(name);
      for (const tell of this.followers) tell();
      throw error;
    } finally {
      this.depth--;
    }
  }

  /** A full disk may have made SQLite take everything back already. */
  private undo(name: string): void {
    if (!this.db.isTransaction) return;
    this.statement(`ROLLBACK TO ${name}`).run();
    this.statement(`RELEASE ${name}`).run();
  }

  /** Runs a statement that SQLite commits by itself, unless it is part of a transaction. */
  change<T>(of: string, statement: () => T): T {
    if (this.depth) return statement();
    documentsPoints.beforeCommit.publish(of);
    const result = statement();
    documentsPoints.afterCommit.publish(of);
    return result;
  }

  /** `tell` is called whenever a transaction was rolled back: what is known of the schema may not hold any more. */
  onRolledBack(tell: () => void): void {
    this.followers.push(tell);
  }

  /** Names of the collections of a database that exist. */
  collections(database: string): string[] {
    const rows = this.statement('SELECT name FROM doc_catalogue WHERE name >= ? AND name < ? ORDER BY name').all(
      `${database}.`,
      `${database}/`,
    ) as unknown as string[][];
    return rows.map(([name]) => name.slice(database.length + 1));
  }
}
