/** What a call to Driftloop can fail with: the service's own code and message, and whether to try again. */

/** A failed call. `code` is the service's error code, e.g. UNKNOWN_MODEL; `retriable` whether the same may succeed later. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  constructor(
    readonly code: string,
    message: string,
    readonly retriable: boolean,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}
