/** The command line; its entry is main.ts. */
export { programOf } from './program.js';
