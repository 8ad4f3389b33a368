/** What can be wrong with a question or a command to the registry. */
import { catalogue } from '@driftloop/contracts';

export const errors = catalogue('registry', {
  UNKNOWN_MODEL: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { model: string; known: string[] }) =>
      `no model "${m.model}"; declared: ${m.known.join(', ') || 'none'} (declare one with \`driftloop apply -f model.yaml\`)`,
  },
  UNKNOWN_VERSION: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { model: string; version: string; known: string[] }) =>
      `model "${m.model}" has no version or alias "${m.version}"; known: ${m.known.join(', ')}`,
    remedy: 'name one of these',
  },
  ALIAS_MOVED: {
    status: 'ABORTED',
    retriable: false,
    message: (m: { alias: string; expected: string; found: string }) =>
      `alias ${m.alias} moved: expected ${m.expected}, found ${m.found}; read it again and retry`,
    cause: 'somebody, or the loop, promoted or rolled back meanwhile',
  },
  NOT_SERVABLE: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { version: string; state: string }) =>
      `version ${m.version} is ${m.state} and cannot be promoted; choose one that passed the gate or was champion`,
  },
  FROZEN: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { model: string; reason: string }) =>
      `the champion of "${m.model}" does not move while it is frozen (${m.reason}); thaw it (\`driftloop thaw\`), or force the command (\`--force\`)`,
  },
  NOTHING_TO_ROLL_BACK: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { model: string }) =>
      `model "${m.model}" has neither a challenger to withdraw nor an earlier champion that was not itself withdrawn; name a version: \`driftloop promote VERSION\``,
  },
  REPLAY_ONLY: {
    status: 'PERMISSION_DENIED',
    retriable: false,
    message: (m: { field: string }) => `${m.field} is for replays; leave it out, or call with the replay credential`,
  },
  TIME_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { field: string }) => `${m.field} is not a time between 1900 and 2200; leave it out for now`,
  },
  CHANGED_TOO_MUCH: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { field: string; was: string; wanted: string }) =>
      `${m.field} cannot change from ${m.was} to ${m.wanted}: served versions are built on it; declare a new model instead`,
  },
});
