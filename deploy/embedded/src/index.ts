/** The embedded default: every service in one process. */
export { type House, type HouseOptions, openHouse } from './house.js';
