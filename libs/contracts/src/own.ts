/**
 * Looking something up by a name from outside. An object is asked for its own properties alone: `constructor`, `toString` and
 * `__proto__` are names like any other, and name nothing that nobody wrote there. `scripts/lookups.mjs` holds every other file
 * to it (docs/decisions/0025).
 */

/** What a record holds under a name; undefined where it holds nothing of its own. */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
