/** What can be wrong with a call at the HTTP door. */
import { catalogue } from '@driftloop/contracts';

export const errors = catalogue('gateway', {
  REPLAY_ONLY: {
    status: 'PERMISSION_DENIED',
    retriable: false,
    message: (m: { what: string }) => `${m.what} is for replays; call with the replay credential`,
  },
  CLOCK_WENT_BACK: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { now: string; last: string }) => `time is ${m.last} already and cannot pass to ${m.now}`,
    remedy: 'go on from the later time: time never goes back',
  },
  CLOCK_IS_LIVE: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (_: Record<string, never>) =>
      'this house runs on the live clock: a replay needs a house of its own, or one started with DRIFTLOOP_CLOCK=replay',
  },
  CLOCK_HELD: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (m: { doubt: string }) => `no decision is made: ${m.doubt}`,
    remedy: "set the machine's clock right, or say that it is right: driftloop clock accept",
  },
  CLOCK_IN_DOUBT: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { doubt: string }) => `the machine's clock cannot be accepted: ${m.doubt}`,
    remedy: "set the machine's clock right, and accept it then",
  },
  CLOCK_RACED: {
    status: 'ABORTED',
    retriable: true,
    message: (_: Record<string, never>) => 'somebody else has just passed time; look how far it has come and try again',
  },
  GATEWAY_STOPS: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (_: Record<string, never>) =>
      'the gateway stops, and not everything has been heard yet; ask again when it is back',
  },
  BODY_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { field: string; problem: string }) => `${m.field}: ${m.problem}`,
    remedy: 'send the field as the problem says',
  },
  UNKNOWN_TOPIC: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { topic: string; known: string[] }) => `no topic "${m.topic}"; known: ${m.known.join(', ')}`,
    remedy: 'name one of these',
  },
  UNKNOWN_SERVICE: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { given: string; known: string[] }) =>
      `"${m.given}" is no service and no group of one; services: ${m.known.join(', ')} (a group begins with its service's name: "training.when-time-passed")`,
  },
  FOREIGN_ORIGIN: {
    status: 'PERMISSION_DENIED',
    retriable: false,
    message: (m: { header: string }) =>
      `the ${m.header} header names another site; call the gateway by its own address`,
  },
  SERVICE_AWAY: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (m: { service: string }) => `${m.service} does not answer; try again, and see its log`,
    cause: 'the service is stopped, or starting',
  },
  TOO_MANY_STREAMS: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: true,
    message: (m: { limit: number; share: number }) =>
      `of ${m.limit} event streams a caller may have ${m.share}, and no more are free: close one and try again`,
  },
});
