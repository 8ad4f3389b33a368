export { type Contenders, type CycleCourse, type CycleOutcome, courseOf } from './cycle.js';
export { figuresOf, type RunFigures, returned } from './figures.js';
export { DAY_MS, type Day, History, type HistoryTimes, type RecordedRows } from './history.js';
export { type MeanInterval, meanInterval } from './interval.js';
export { runLoop, type Service, type SimulatedCycle, type SimulatedRun, type Trainings } from './loop.js';
export { byPolicy, bySchedule, type CheckFacts, calendarTimes, type Opener, randomTimes } from './opening.js';
export type { EmbargoedDays, LoopRules } from './rules.js';
export { ModelScores, pairedDay } from './scores.js';
export {
  type Alternative,
  type SimulatedAlternative,
  type SimulationOptions,
  type StartResult,
  simulate,
} from './simulate.js';
