/** What SQLite refused because of a unique index, as mongod says it: which index, and which values were there already. */
import type { Doc } from './codec.js';
import type { IndexDefinition } from './definition.js';
import { duplicateKey } from './errors.js';
import { extract } from './keys.js';

/** The collection that refused a document. */
interface Refusing {
  /** `database.collection` */
  readonly name: string;
  readonly indexes: readonly IndexDefinition[];
}

export function isDuplicate(error: unknown): boolean {
  return /UNIQUE constraint failed/.test((error as Error)?.message);
}

/** E11000 for a document that was refused as a duplicate; any other error as it is. */
export function duplicateOf(error: unknown, doc: Doc, { name, indexes }: Refusing): unknown {
  if (!isDuplicate(error)) return error;
  const { message } = error as Error;
  if (/\.id$/.test(message)) return duplicateKey(name, '_id_', { _id: doc._id });
  const columns = [...message.matchAll(/\.(k\d{1,5})(?=,|$)/g)].map((match) => match[1]).join();
  const index = indexes.find(({ fields, unique }) => unique && fields.map(({ column }) => column).join() === columns);
  const values = (index?.fields ?? []).map(({ path }) => [path.text, extract(doc, path) ?? null]);
  return duplicateKey(name, index?.name ?? 'unknown', Object.fromEntries(values));
}
