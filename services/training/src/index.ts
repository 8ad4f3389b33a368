/** Training: a request becomes a job, a job a candidate with all that the gate needs to decide. */

export { trainingPoints } from './points.js';
export { boosterParameters } from './recipe/parameters.js';
export { readTrainingSet } from './recipe/read-parquet.js';
export type { TrainingTable } from './recipe/table.js';
export { Models, type Parts } from './simulation/models.js';
export { embargoAt } from './simulation/plan.js';
export { rulesOf } from './simulation/rules.js';
export { historyOf, runSimulation } from './simulation/simulation.js';
export { training } from './training.module.js';
