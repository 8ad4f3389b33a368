/** The service kit: how a service starts, hears events, answers calls, asks others, and stops. */
export * from './addresses.js';
export { type DoorLimits, usualDoor } from './admission/limits.js';
export { type Attempt, Audit, type Outcome } from './audit.js';
export { outcomeOf } from './audited-calls.js';
export { callStream, type StreamOptions } from './call-stream.js';
export * from './client.js';
export * from './clock.js';
export * from './connection.js';
export {
  type Caller,
  Credentials,
  callerName,
  callerOf,
  causeOfRequest,
  checkRole,
  mainTenant,
} from './credentials.js';
export {
  type CycleAct,
  CycleSpans,
  cycleTraceId,
  decisionAttributes,
  openedStep,
  spanTraceparent,
} from './cycle-spans.js';
export * from './definition.js';
export { Dependencies, type Dependency } from './dependencies.js';
export * from './embedded.js';
export { errors as serviceErrors } from './errors.js';
export { Foresight, isLive } from './foresight.js';
export { currentFormat } from './format/steps.js';
export * from './ground.js';
export { healthPortName } from './health.js';
export { type Fault, faultInWords, Isolation, type Subject, setAsideInWords } from './isolation.js';
export { Leadership, type LeadershipParts, Led, Unled } from './leadership.js';
export { Log, openLog, secretsOf } from './log.js';
export { type MigratedPlace, migrateAll } from './migrate.js';
export { Places, shared } from './places.js';
export { servicePoints } from './points.js';
export * from './process.js';
export { Readiness } from './readiness.js';
export { Serial, statesOf } from './serial.js';
export * from './settings.js';
export * from './start.js';
export { errorKey, statusOf } from './status.js';
export { errorTypeOf } from './telemetry/conventions.js';
export { type MetricDefinition, type MetricName, metricCatalogue } from './telemetry/metric-catalogue.js';
export { type Measurement, Metrics, type QueueState } from './telemetry/metrics.js';
export { prometheusLabel, prometheusSeries } from './telemetry/prometheus-names.js';
export { redacted } from './telemetry/redaction.js';
export { traceparentOf } from './telemetry/span-context.js';
export { Telemetry } from './telemetry/telemetry.js';
export { abandonment, type WaitedFor } from './waits.js';
export { ConsumerGroup, When, type WhenOptions } from './when.js';
