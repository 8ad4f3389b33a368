/** Labeling: ground truth comes in here, late, revised, duplicated, contradictory or never. */
export { labeling } from './labeling.module.js';
