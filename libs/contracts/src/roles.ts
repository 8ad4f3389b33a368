/** What callers may be allowed to do, by name. Which call needs which is in access.ts. */

export const roles = ['admin', 'operator', 'reader', 'annotator', 'reviewer', 'worker', 'replay'] as const;
export type Role = (typeof roles)[number];

/**
 * What a role has in it beside itself. `replay` is in none: whoever may do everything else may still not say what time it is.
 */
const within: Readonly<Record<Role, readonly Role[]>> = {
  admin: ['operator', 'reader', 'annotator', 'reviewer', 'worker'],
  operator: ['reader'],
  reader: [],
  annotator: [],
  reviewer: ['annotator'],
  worker: [],
  replay: [],
};

/** Whether one of the roles that a caller has is the needed one, or has it in it. */
export const suffices = (has: readonly Role[], needed: Role): boolean =>
  has.some((role) => role === needed || within[role].includes(needed));
