export * from './poisoned-window.js';
export type {
  QuarantineThresholds,
  Stretch,
  Suspicion,
  SuspicionKind,
  WitnessDay,
} from './run-tests.js';
export { suspectDays } from './suspicion.js';
export * from './witness.js';
