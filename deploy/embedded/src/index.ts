/** The embedded default: every service in one process, or each in its own; and what removes a house from real servers. */
export { type Doors, untilReady } from './doors.js';
export { type House, type HouseOptions, openHouse } from './house.js';
export { removeHouse } from './namespace.js';
export { anyPorts, freePorts } from './ports.js';
export { openProcesses, type Process, type ProcessHouse } from './processes.js';
export { type Summary, score } from './summary.js';
