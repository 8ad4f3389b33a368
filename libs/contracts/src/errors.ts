/**
 * Typed errors: what went wrong, whether to try again, and what to do. One catalogue a service, one row an error;
 * the service kit turns them into gRPC statuses and HTTP problems.
 */

/** The gRPC status names that a catalogue may use. */
export type StatusName =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'RESOURCE_EXHAUSTED'
  | 'PERMISSION_DENIED'
  | 'UNAUTHENTICATED'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'UNIMPLEMENTED'
  | 'INTERNAL';

/** An error that callers may see. `details` are plain facts (path, expected, found); never secrets or internals. */
export class LoopError extends Error {
  override readonly name = 'LoopError';
  constructor(
    readonly service: string,
    readonly code: string,
    message: string,
    readonly status: StatusName,
    readonly retriable: boolean,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

/** An error of a catalogue. */
export interface ErrorRow<M = never> {
  status: StatusName;
  retriable: boolean;
  /** What happened and why; what to do. docs/errors.md takes them apart at the last semicolon. */
  message: (facts: M) => string;
  /** For docs/errors.md, where the message does not say it: what it usually comes from, and what to do. */
  cause?: string;
  remedy?: string;
}

type Factories<R> = { [K in keyof R]: R[K] extends ErrorRow<infer M> ? (facts: M) => LoopError : never };

/** Every catalogue that was made, by its factories. */
const made = new WeakMap<object, Catalogue>();

/** A service's errors as they were declared. */
export interface Catalogue {
  readonly service: string;
  readonly rows: Readonly<Record<string, ErrorRow>>;
}

/** A service's error catalogue: `throw errors.ALIAS_MOVED({ alias, expected, found })`. */
// biome-ignore lint/suspicious/noExplicitAny: a row's facts are inferred from its own message function
export function catalogue<R extends Record<string, ErrorRow<any>>>(service: string, rows: R): Factories<R> {
  const factory = ([code, row]: [string, R[string]]) => [
    code,
    (facts: Record<string, unknown>) =>
      new LoopError(service, code, row.message(facts), row.status, row.retriable, facts),
  ];
  const factories = Object.fromEntries(
    Object.entries(rows).map((entry) => factory(entry as [string, R[string]])),
  ) as Factories<R>;
  made.set(factories, { service, rows });
  return factories;
}

/** The errors that a catalogue was made of; undefined for anything else. */
export function catalogueOf(factories: unknown): Catalogue | undefined {
  return typeof factories === 'object' && factories !== null ? made.get(factories) : undefined;
}

/** Whether trying the same again later may succeed: a dependency is away, not the thing itself at fault. */
export function isRetriable(error: unknown): boolean {
  return error instanceof LoopError ? error.retriable : false;
}
