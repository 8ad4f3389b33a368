/** What crosses a wall: messages, events, errors, the ModelSpec. */
export * from './decisions.js';
export * from './errors.js';
export * from './event-times.js';
export * from './events.js';
export { fileDescriptors } from './gen/descriptors.js';
export * from './gen/driftloop/v1/events.js';
export * from './gen/driftloop/v1/feature_store.js';
export * from './gen/driftloop/v1/labeling.js';
export * from './gen/driftloop/v1/monitoring.js';
export * from './gen/driftloop/v1/registry.js';
export * from './gen/driftloop/v1/training.js';
export * from './gen/driftloop/v1/values.js';
export * as inference from './gen/inference/grpc_service.js';
export * from './spec/duration.js';
export * from './spec/features.js';
export * from './spec/model-spec.js';
export * from './spec/parse.js';
export * from './spec/references.js';
