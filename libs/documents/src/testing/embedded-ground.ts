/** Embedded documents in memory, for one fact. */
import { DatabaseSync } from 'node:sqlite';
import { openEmbedded } from '../embedded/open.js';
import type { DocumentsGround } from './scene.js';

export async function temporaryDocuments(): Promise<DocumentsGround> {
  const db = new DatabaseSync(':memory:');
  const connection = await openEmbedded(db, 'facts', { onScan: 'throw' });
  const close = async () => {
    await connection.close();
    db.close();
  };
  return { connection, close };
}
