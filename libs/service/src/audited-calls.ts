/** Calls that are acts, between the two writes of the audit (audit.ts, I1). */
import { accessOf, LoopError } from '@driftloop/contracts';
import { type Metadata, status } from '@grpc/grpc-js';
import type { Attempt, Audit, Outcome } from './audit.js';
import { type Caller, callerOf } from './credentials.js';
import { codeOf, isStatus } from './status.js';

type Fields = Readonly<Record<string, unknown>>;
interface Call {
  readonly metadata: Metadata;
  readonly request?: unknown;
  getPeer(): string;
}
type Done = ((error: unknown, value?: unknown, ...rest: unknown[]) => void) | undefined;
type Handler<C> = (call: C, done: Done) => Promise<void>;

/** The handler of a method as it is; of one that is an act, with its audit. */
export function audited<C extends Call>(audit: Audit, path: string, handler: Handler<C>): Handler<C> {
  const { act } = accessOf(path);
  if (!act) return handler;
  return async (call, done) => {
    const request = (call.request ?? {}) as Fields;
    const about = { act: act.name(request), subject: textOf(request[act.about]) };
    const end = await audit.begin({ ...attemptOf(callerOf(call.metadata), call, path), ...about });
    const ended = async (error: unknown, reply?: unknown) => {
      const subject = textOf((reply as Fields | undefined)?.[act.about]);
      await end({ ...outcomeOf(error), ...(!about.subject && { subject }) });
    };
    try {
      await handler(call, (error, value, ...rest) => {
        void ended(error, value).then(() => done?.(error, value, ...rest));
      });
    } catch (error) {
      await ended(error);
      throw error;
    }
  };
}

/** A call as the audit has one that it knows no more of than its method. */
export const attemptOf = (caller: Caller, call: Call, path: string): Attempt => ({
  ...{ caller, connection: call.getPeer(), method: path, act: path.slice(path.lastIndexOf('/') + 1), subject: '' },
  requestId: call.metadata.get('x-request-id')[0]?.toString(),
});

/** How a call ended, by what its handler failed with, if it did. */
export function outcomeOf(error: unknown): Outcome {
  if (!error) return { status: 'OK', code: '' };
  if (error instanceof LoopError) return { status: error.status, code: error.code };
  return isStatus(error) ? { status: status[error.code], code: codeOf(error) } : { status: 'INTERNAL', code: '' };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
