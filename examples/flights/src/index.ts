/** The main example: a year of JFK departures as the outside world of a model. */
export { type Departure, departures, type Observation, weather } from './data.js';
export { type AnswerLine, Diary, type ShadowLine } from './diary.js';
export { type Progress, type ReplayOptions, type ReplayResult, replay } from './replay.js';
export { type Happening, happenings, historyDepartures } from './world.js';

/** The module that runs the replay as a process of its own. */
export const replayProcess = new URL('../dist/main.js', import.meta.url);
/** The model's spec. */
export const modelFile = new URL('../model.yaml', import.meta.url);
