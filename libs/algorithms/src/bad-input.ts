/**
 * The one error of this package: an argument that no answer exists for. It says where, what was found, and what to pass instead;
 * services map `code` to INVALID_ARGUMENT.
 */
export class BadInput extends Error {
  readonly code = 'BAD_INPUT';
  override readonly name = 'BadInput';

  constructor(
    /** The function or option at fault, such as `gate.minRows`. */
    readonly where: string,
    /** What was found there. */
    readonly found: string,
    /** What to pass instead. */
    readonly fix: string,
  ) {
    super(`${where}: ${found}; ${fix}`);
  }
}

/** Throws BadInput unless `ok`. */
export function demand(ok: boolean, where: string, found: () => string, fix: string): asserts ok {
  if (!ok) throw new BadInput(where, found(), fix);
}
