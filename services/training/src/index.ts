/** Training: a request becomes a job, a job a candidate with all that the gate needs to decide. */

export { trainingPoints } from './points.js';
export { training } from './training.module.js';
