/** The service kit: how a service starts, hears events, answers calls, asks others, and stops. */
export * from './addresses.js';
export { callStream, type StreamOptions } from './call-stream.js';
export * from './client.js';
export * from './clock.js';
export * from './connection.js';
export { type Caller, Credentials, callerName, callerOf, causeOfRequest, mainTenant } from './credentials.js';
export {
  type CycleAct,
  CycleSpans,
  cycleTraceId,
  decisionAttributes,
  openedStep,
  spanTraceparent,
} from './cycle-spans.js';
export * from './embedded.js';
export { errors as serviceErrors } from './errors.js';
export * from './ground.js';
export { Leadership, type LeadershipParts, Led, Unled } from './leadership.js';
export { Log, openLog } from './log.js';
export { servicePoints } from './points.js';
export * from './process.js';
export { Readiness } from './readiness.js';
export { Serial } from './serial.js';
export * from './settings.js';
export * from './start.js';
export { errorKey, statusOf } from './status.js';
export { Telemetry, traceparentOf } from './telemetry.js';
export * from './test-clock.js';
export * from './test-service.js';
export { When, type WhenOptions } from './when.js';
