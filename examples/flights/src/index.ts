/** The main example: a year of JFK departures as the outside world of a model, and the replay that plays a world. */
export { type Departure, departures, type Observation, weather } from './data.js';
export { type AnswerLine, Diary, type ShadowLine } from './diary.js';
export { replayPoints } from './points.js';
export { type Progress, type ReplayOptions, type ReplayResult, replay } from './replay.js';
/** Two more streams, whose data do not ship with the project. */
export * as bikeSharing from './streams/bike-sharing.js';
export * as elec2 from './streams/elec2.js';
export { findData } from './streams/files.js';
export { Telling } from './telling.js';
export { type Happening, importWorld, type World, type WorldModule } from './world.js';

/** The module that runs the replay as a process of its own. */
export const replayProcess = new URL('./main.js', import.meta.url);
/** The module of the flights' world. */
export const flightsWorld = new URL('./flights.js', import.meta.url);
