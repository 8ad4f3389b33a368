export { isDuplicateKey, UnindexedScan, UnsupportedByEmbedded } from './embedded/errors.js';
export { type EmbeddedOptions, openEmbedded } from './embedded/open.js';
export * from './outbox.js';
