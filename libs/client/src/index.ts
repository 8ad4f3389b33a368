/** The TypeScript SDK: ask, tell, act, hear. */
export type {
  AuditedAct,
  Cycle,
  CycleExplanation,
  CycleSpan,
  DeadLetter,
  DeclaredModel,
  DescribeReply,
  DriftReport,
  Evidence,
  Ledger,
  ModelStatus,
  QuarantineItem,
  Rollout,
  SimulateReport,
  SourceWatermark,
  Version,
} from '@driftloop/contracts';
export { decimalOf, durationMs, readTime } from '@driftloop/contracts';
export { Control } from './control.js';
export { CallFailed } from './failure.js';
export type { RowFile } from './file.js';
export { type LedgerCheck, verifyLedger } from './ledger.js';
export { newToken, roles } from './new-token.js';
export { type AuditQuery, type DeadLetterQuery, Operations } from './operations.js';
export { type Answer, Predictor, type Question } from './predictor.js';
export { Quarantine, type QuarantineQuery } from './quarantine.js';
export { FactStream, Reporter } from './reporter.js';
export type { Fact, ReportedOutcome } from './rows.js';
export { type SimulateOptions, simulate } from './simulate.js';
export { type ReceivedEvent, type SubscribeOptions, subscribe } from './subscriber.js';
export { trust } from './trust.js';
export { Watermarks } from './watermarks.js';
