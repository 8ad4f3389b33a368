/** The tables of a store: one a collection, whichever of the connections asks. */
import type { Store } from './database.js';
import { Table } from './table.js';

const tables = new WeakMap<Store, Map<string, Table>>();

/** The one table of a collection, whoever of a store's connections asks. */
export function tableOf(store: Store, database: string, collection: string): Table {
  const name = `${database}.${collection}`;
  const known = tables.get(store) ?? new Map<string, Table>();
  tables.set(store, known);
  let table = known.get(name);
  if (!table) {
    const made = new Table(store, name);
    store.onRolledBack(() => made.reload());
    known.set(name, made);
    table = made;
  }
  return table;
}
