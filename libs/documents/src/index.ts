export { isDuplicateKey, UnindexedScan, UnsupportedByEmbedded } from './embedded/errors.js';
export { type EmbeddedOptions, openEmbedded } from './embedded/open.js';
export { collectionsOf, openMongod } from './mongod.js';
export { MongooseOutbox, type MongooseOutboxOptions } from './mongoose-outbox.js';
export * from './outbox.js';
export { outboxed } from './outboxed.js';
export { documentsPoints, outboxPoints } from './points.js';
