/** Models as ONNX: one graph from raw features to calibrated probability, and a look into graphs that come from outside. */
export * from './booster-graph.js';
export { constantPriorGraph } from './constant-prior.js';
export * from './errors.js';
export * from './inspect.js';
export { type GraphFacts, PROBABILITY, PROBABILITY_FLOOR } from './interface.js';
export { disableRuntimeTelemetry } from './runtime.js';
