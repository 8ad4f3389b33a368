/** The command line against a running system, and what other commands need to speak as it does. */
export { misused } from './doors.js';
export { show } from './output.js';
export { programOf, run } from './program.js';
