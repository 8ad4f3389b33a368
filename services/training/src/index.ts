/** Training: a request becomes a job, a job a candidate with all that the gate needs to decide. */
export { training } from './training.module.js';
