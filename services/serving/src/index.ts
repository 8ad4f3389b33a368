/** Serving: answers over the Open Inference Protocol, follows the registry, logs what it said. */
export { servingPoints } from './points.js';
export { serving } from './serving.module.js';
