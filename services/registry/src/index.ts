/** The registry: versions, lineage, aliases, the gate, the rollout document. */
export { registry } from './registry.module.js';
