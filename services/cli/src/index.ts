/** The command line against a running system, and what other commands need to speak as it does. */
export { commandLine, run } from './command-line.js';
export { misused } from './doors.js';
export { show } from './output.js';
