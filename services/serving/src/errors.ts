/** What can be wrong with a question to a model, or with a model to be served. */
import { catalogue } from '@driftloop/contracts';

export const errors = catalogue('serving', {
  UNKNOWN_MODEL: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { model: string; known: string[] }) =>
      `no model "${m.model}" is served; served: ${m.known.join(', ') || 'none'} (declare one with \`driftloop apply\`)`,
  },
  UNKNOWN_VERSION: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { model: string; version: string; known: string[] }) =>
      `model "${m.model}" serves no version "${m.version}"; served: ${m.known.join(', ')} (or leave the version out)`,
  },
  UNKNOWN_ENTITY: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { entity: string; inputs: string[] }) =>
      `entity "${m.entity}" is not in the feature store; send its inputs with the request: ${m.inputs.join(', ')}`,
  },
  UNKNOWN_INPUT: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { input: string; known: string[] }) =>
      `no input "${m.input}"; the model takes ${m.known.join(', ')} (see ModelMetadata)`,
  },
  MISSING_INPUT: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { input: string }) =>
      `input "${m.input}" is missing; send it, or name an entity with parameter entity_id`,
  },
  WRONG_DATATYPE: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { input: string; expected: string; found: string }) =>
      `input "${m.input}" has datatype ${m.found || '(none)'}; send ${m.expected}`,
  },
  WRONG_SHAPE: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { input: string; expected: string; found: string }) =>
      `input "${m.input}" has shape ${m.found}; send ${m.expected}`,
  },
  WRONG_CONTENTS: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { input: string; problem: string }) => `input "${m.input}": ${m.problem}`,
    remedy: 'send the contents as the problem says',
  },
  WRONG_PARAMETER: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { parameter: string; problem: string }) => `parameter "${m.parameter}": ${m.problem}`,
    remedy: 'send the parameter as the problem says',
  },
  EVENT_TIME_AHEAD: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { time: string; now: string }) =>
      `parameter "event_time" is ${m.time}, and it is ${m.now} here: send a time that has come; to replay times to come, start the services with DRIFTLOOP_CLOCK=replay`,
    remedy: 'send a time that has come, or start the services with DRIFTLOOP_CLOCK=replay',
  },
  QUESTION_REFUSED: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { code: string; reason: string }) =>
      `the feature store refuses this question (${m.code}): ${m.reason}`,
    remedy: 'send the question as the reason says',
  },
  EVENT_TIME_FORBIDDEN: {
    status: 'PERMISSION_DENIED',
    retriable: false,
    message: (m: { parameter: string }) =>
      `parameter "${m.parameter}" is for replays; leave it out, or call with the replay credential`,
  },
  UNKNOWN_OUTPUT: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { output: string }) =>
      `no output "${m.output}"; the model gives "probability" [n,1]: ask for that one, or for none`,
  },
  TOO_MANY_ROWS: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: false,
    message: (m: { rows: number; limit: number }) =>
      `${m.rows} rows in one request; send at most ${m.limit}, the rest in further requests`,
  },
  QUEUE_FULL: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: true,
    message: (m: { limit: number }) =>
      `${m.limit} rows are waiting to be answered; try again shortly, or send fewer at a time`,
  },
  NOT_READY: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (m: { model: string }) =>
      `model "${m.model}" is declared and its first version is still being loaded; try again`,
  },
  FEATURES_AWAY: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (m: { reason: string }) => `the feature store cannot be reached (${m.reason}); try again`,
    cause: "the feature store is stopped or starting, or slower than the request's deadline",
  },
  HISTORY_AWAY: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (m: { model: string; time: string }) =>
      `which version of "${m.model}" answered at ${m.time} is for the registry to say, and it cannot be reached; try again`,
  },
  HISTORY_FORGOTTEN: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { model: string; time: string; since: string }) =>
      `which version of "${m.model}" answered at ${m.time} is forgotten; ask about ${m.since} or later, or name a version`,
  },
  ROLLOUT_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { model: string; problem: string }) =>
      `a rollout of "${m.model}" is not valid: ${m.problem}; the last good one goes on answering`,
    cause: "the registry's rollout lacks what serving needs",
    remedy: 'report it: the program is at fault',
  },
  COLUMNS_CHANGED: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { model: string }) =>
      `the features of "${m.model}" changed under its trained versions; declare them as a model of another name`,
  },
  MODEL_CORRUPT: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { version: string; problem: string }) =>
      `version ${m.version} cannot be loaded: ${m.problem}; the last good rollout goes on answering. Restore its bytes in the object store, or roll back`,
    cause: 'the bytes in the object store were changed or cut',
    remedy: 'restore the bytes, or roll back',
  },
  SCORING_FAILED: {
    status: 'INTERNAL',
    retriable: false,
    message: (m: { version: string; problem: string }) =>
      `version ${m.version} gave no answer: ${m.problem}; roll back, or name another version`,
    cause: 'the graph fails on this row, or its answer is no number',
  },
});
