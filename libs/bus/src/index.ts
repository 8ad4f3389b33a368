/** The bus: the port, its errors, and the embedded log. */
export * from './bus.js';
export { largestEvent } from './checks.js';
export * from './embedded.js';
export { errors as busErrors } from './errors.js';
export type { Incident } from './incident.js';
export { busPoints } from './points.js';
