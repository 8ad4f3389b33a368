/** The embedded default: every service in one process; and what removes a house from real servers. */
export { type House, type HouseOptions, openHouse } from './house.js';
export { removeHouse } from './namespace.js';
export { anyPorts } from './ports.js';
export type { Summary } from './summary.js';
