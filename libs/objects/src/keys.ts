/** The rules of keys (I3 of the port), whoever stores the objects. */
import { errors } from './errors.js';

const longest = 512;
const segment = /^[A-Za-z0-9._=-]{1,250}$/;

/** Throws OBJECT_KEY_INVALID. */
export function checkKey(key: string): void {
  const segments = typeof key === 'string' ? key.split('/') : [];
  const wellFormed = segments.length > 0 && segments.every((s) => segment.test(s) && s !== '.' && s !== '..');
  if (!wellFormed || key.length > longest) throw errors.OBJECT_KEY_INVALID({ key: String(key).slice(0, longest) });
}

/** A prefix is the beginning of some key, cut anywhere; the empty one is all. Throws OBJECT_KEY_INVALID. */
export function checkPrefix(prefix: string): void {
  if (prefix === '') return;
  checkKey(`${prefix}x`);
}
