/**
 * Points of documents and outbox that a test may watch, or die at: channels of node:diagnostics_channel. Nothing hangs on
 * them, and a channel that nobody watches is an empty call. The message says which: `database.collection`.
 */
import { channel } from 'node:diagnostics_channel';

export const documentsPoints = {
  /** A change is about to be committed (embedded). */
  beforeCommit: channel('driftloop:documents.before-commit'),
  afterCommit: channel('driftloop:documents.after-commit'),
} as const;

export const outboxPoints = {
  /** A document is written with its events, and they are not published yet. */
  between: channel('driftloop:outbox.between'),
  /** They are published, and the document still has them as pending. */
  published: channel('driftloop:outbox.published'),
} as const;
