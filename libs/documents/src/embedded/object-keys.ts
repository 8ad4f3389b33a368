/**
 * Which key columns hold objects: an object's key has the order of its text, which is not BSON's, so that such a column
 * serves equality and not the order of a sort.
 */
import type { SQLInputValue } from 'node:sqlite';
import { isObjectKey, objectKeys } from './keys.js';

export class ObjectKeys {
  private readonly known = new Map<string, boolean>();

  /** `find` runs a SELECT and says whether it has a row. */
  constructor(private readonly find: (sql: string, parameters: readonly SQLInputValue[]) => boolean) {}

  /** Told of every row that is written: what was known of a column may have changed. */
  written(parameters: readonly SQLInputValue[]): void {
    if (this.known.size && parameters.some(isObjectKey)) this.known.clear();
  }

  /** Whether a column of a table holds an object. Asked once; objects that are deleted are not forgotten. */
  in(column: string, table: string): boolean {
    let holds = this.known.get(column);
    if (holds === undefined) {
      holds = this.find(`SELECT 1 FROM ${table} WHERE ${column} >= ? AND ${column} < ? LIMIT 1`, objectKeys);
      this.known.set(column, holds);
    }
    return holds;
  }
}
