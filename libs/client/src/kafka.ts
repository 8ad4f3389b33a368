/** The SDK on Kafka itself, for product teams with brokers at hand: hear facts, report facts and outcomes. */
export { type Consumption, type ConsumptionOptions, consume } from './kafka/consumer.js';
export type { ConsumedEvent, Handlers, Poison } from './kafka/event.js';
export type { Place, Start } from './kafka/places.js';
export { KafkaReporter, type ReportOptions } from './kafka/reporter.js';
export type { KafkaServers } from './kafka/servers.js';
