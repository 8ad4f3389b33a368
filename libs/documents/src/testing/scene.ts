/** What the facts of the documents' contract are told on. */
import type { Connection } from 'mongoose';

/** Open documents: one database, fresh or shared by facts whose collection names differ. */
export interface DocumentsGround {
  readonly connection: Connection;
  close(): Promise<void>;
}

export interface DocumentsContract {
  readonly open: () => Promise<DocumentsGround>;
  /** Titles of facts that do not hold here. */
  readonly skip: readonly string[];
}

/** The limit of a fact, ms: only a hang takes so long, on however busy a machine. */
export const longestMs = 240_000;

export type Fact = (title: string, run: (connection: Connection) => Promise<void>) => void;

let collections = 0;

/** A collection name that no other fact uses. */
export function fresh(): string {
  return `fact${process.pid}_${collections++}`;
}

/** A raw collection of documents without a schema, filled. */
export async function collectionOf(connection: Connection, docs: readonly object[] = []) {
  const collection = connection.collection(fresh());
  if (docs.length) await collection.insertMany(docs.map((doc) => ({ ...doc })) as never);
  return collection;
}
