/** What monitoring can answer wrongly asked questions with, and what to do about each. */
import { catalogue } from '@driftloop/contracts';

export const errors = catalogue('monitoring', {
  UNKNOWN_MODEL: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (facts: { model: string }) =>
      `no model "${facts.model}" is declared here; apply its spec first, or check its name`,
  },
  MODEL_SET_ASIDE: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (facts: { model: string; reason: string }) =>
      `model "${facts.model}" is set aside, what is known of it cannot be read: ${facts.reason}; apply a spec that mends it, the other models go on`,
  },
  INVALID_LIMIT: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (facts: { limit: number; atMost: number }) =>
      `a limit of ${facts.limit}: ask for 1 to ${facts.atMost}, or 0 for 50`,
  },
  HOLD_RACED: {
    status: 'ABORTED',
    retriable: true,
    message: (facts: { series: string }) =>
      `somebody else has just paused or resumed ${facts.series}; look, and try again`,
  },
  UNKNOWN_CYCLE: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (facts: { cycle: string }) => `no cycle begins with "${facts.cycle}"; list the cycles of the model`,
  },
  CYCLE_AMBIGUOUS: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (facts: { cycle: string }) => `several cycles begin with "${facts.cycle}"; write more of the id`,
  },
  CYCLE_PREFIX_TOO_SHORT: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (facts: { cycle: string }) =>
      `"${facts.cycle}" is no beginning of a cycle id; write at least 4 of its hexadecimal digits`,
  },
  UNKNOWN_QUARANTINE: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (facts: { id: string }) =>
      `nothing called "${facts.id}" is in quarantine; list it, and write the whole id`,
  },
  QUARANTINE_STATE_UNKNOWN: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (facts: { state: string }) =>
      `"${facts.state}" is no state; held, released or upheld (resolve: released or upheld)`,
  },
  OVERTAKEN: {
    status: 'ABORTED',
    retriable: true,
    message: (facts: { document: string }) =>
      `${facts.document} was written by a later leader: this replica of monitoring leads no longer`,
    remedy: 'nothing: the replica that leads goes on',
  },
  QUARANTINE_RACED: {
    status: 'ABORTED',
    retriable: true,
    message: (facts: { id: string }) =>
      `somebody else has just spoken about "${facts.id}"; look at it and say it again`,
  },
});
