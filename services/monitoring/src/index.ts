/** Monitoring: late labels meet live predictions; signals, cycles, judgements, the ledger. */
export { monitoring } from './monitoring.module.js';
