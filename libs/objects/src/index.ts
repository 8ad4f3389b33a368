/** Objects: the port, its errors, and the folder. */
export { errors as objectErrors } from './errors.js';
export * from './folder.js';
export { checkKey, checkPrefix } from './keys.js';
export * from './objects.js';
export { objectsPoints } from './points.js';
