export * from './poisoned-window.js';
export * from './suspicion.js';
export * from './witness.js';
