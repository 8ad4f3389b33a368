/**
 * Keys as names in a bucket. MinIO keeps `a` and `a/b` both, but lists no names below one that is an object itself; so a
 * folder's name ends in `~`, which no key has (as in a folder of objects): `a/b` is the object `a~/b`.
 */
import { checkKey } from './keys.js';

const mark = '~';

/** A bucket's part that holds the objects: names begin with the prefix, which is empty or ends in `~/`. */
export class Names {
  readonly #prefix: string;

  /** `prefix` has the form of a key; empty for the whole bucket. Throws OBJECT_KEY_INVALID. */
  constructor(prefix: string) {
    if (prefix) checkKey(prefix);
    this.#prefix = prefix && marked(`${prefix}/`);
  }

  /** The name of a key, or the beginning of the names of a prefix of keys. */
  of(key: string): string {
    return this.#prefix + marked(key);
  }

  /** The key of a name; undefined where it is not one of ours. */
  keyOf(name: string): string | undefined {
    if (!name.startsWith(this.#prefix)) return undefined;
    const key = name.slice(this.#prefix.length).replaceAll(`${mark}/`, '/');
    return !key.includes(mark) && this.of(key) === name ? key : undefined;
  }
}

function marked(key: string): string {
  return key.replaceAll('/', `${mark}/`);
}
