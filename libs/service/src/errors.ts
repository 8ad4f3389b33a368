/** What can go wrong with a service as a process: settings, ports, the home folder, callers, calls. */
import { catalogue, type TokenFault } from '@driftloop/contracts';

/** Many faults of one file are one mistake: the first few say it. */
const tokenFault = ({ line, name, fault }: TokenFault): string =>
  [line && `line ${line}`, name && `(${name})`, fault].filter(Boolean).join(' ');

export const errors = catalogue('service', {
  SETTINGS_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { faults: readonly { variable: string; fault: string }[] }) =>
      `the environment is not valid: ${m.faults.map((f) => `${f.variable}: ${f.fault}`).join('; ')}`,
    remedy: 'set each variable that is named as it says',
  },
  AUTH_REQUIRED: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { host: string }) =>
      `host ${m.host} can be reached from other machines and no token is set: set DRIFTLOOP_TOKEN, or DRIFTLOOP_HOST=127.0.0.1`,
  },
  TLS_REQUIRED: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { host: string }) =>
      `host ${m.host} can be reached from other machines, and tokens would cross the network in plain text: set DRIFTLOOP_TLS_CERT_FILE and DRIFTLOOP_TLS_KEY_FILE, or DRIFTLOOP_HOST=127.0.0.1; where the network is closed or something else encrypts, DRIFTLOOP_ALLOW_PLAINTEXT=true`,
    remedy: 'set a certificate and its key, listen on loopback alone, or say that something else encrypts',
  },
  TLS_INVALID: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { variable: string; file: string; reason: string }) => `${m.variable}: ${m.file}: ${m.reason}`,
    remedy: 'name files that hold a certificate and its key in PEM, readable for the process',
  },
  ONE_PROCESS: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { service: string }) =>
      `embedded mode runs all services in one process: use npm start; to run ${m.service} by itself set DRIFTLOOP_MODE=cluster`,
  },
  CALL_ABANDONED: {
    status: 'ABORTED',
    retriable: true,
    message: (_: Record<string, never>) => 'whoever called has gone: nobody waits for the answer any more',
    remedy: 'nothing: whoever asked does not wait',
  },
  PORT_TAKEN: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { service: string; host: string; port: number; variable: string }) =>
      `${m.service} cannot listen on ${m.host}:${m.port}, something else does: stop it, or set ${m.variable} to a free port`,
  },
  PORT_NOT_OPENED: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { service: string; host: string; port: number; variable: string; reason: string }) =>
      `${m.service} cannot listen on ${m.host}:${m.port}: ${m.reason}; change it with ${m.variable} or DRIFTLOOP_HOST`,
  },
  HOME_LOCKED: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { home: string; pid: number }) =>
      `${m.home} is in use by process ${m.pid}: stop it, or set DRIFTLOOP_HOME to another folder`,
  },
  HOME_NOT_WRITABLE: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { home: string; reason: string }) =>
      `${m.home} cannot be used: ${m.reason}; make it writable, or set DRIFTLOOP_HOME to another folder`,
  },
  HOME_CORRUPT: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { home: string; reason: string }) =>
      `the database in ${m.home} cannot be opened: ${m.reason}; restore it, or set DRIFTLOOP_HOME to another folder`,
  },
  HOME_MISSING: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { home: string }) =>
      `there is no home in ${m.home}: name its folder with --home, or set DRIFTLOOP_HOME to it`,
  },
  HOME_NEWER: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { home: string; found: number; known: number }) =>
      `${m.home} is in format ${m.found}, and this release knows none above ${m.known}: a newer release has used it; use that one, or set DRIFTLOOP_HOME to another folder. Nothing in it was changed`,
  },
  HOME_NEEDS_MIGRATION: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { home: string; found: number; known: number; name: string }) =>
      `${m.home} is in format ${m.found}, this release wants ${m.known}, and on the way a start cannot do "${m.name}": run \`driftloop migrate --home ${m.home}\`, then start again`,
  },
  DOCUMENTS_NEWER: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { database: string; found: number; known: number }) =>
      `database ${m.database} is in format ${m.found}, and this release knows none above ${m.known}: a newer release has used it; use that one. Nothing in it was changed`,
  },
  DOCUMENTS_NEED_MIGRATION: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { database: string; found: number; known: number; name: string }) =>
      `database ${m.database} is in format ${m.found}, this release wants ${m.known}, and on the way a start cannot do "${m.name}": stop the service, run \`driftloop migrate\`, then start again`,
  },
  DOCUMENTS_MIGRATING: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (m: { database: string; by: string }) =>
      `database ${m.database} is being brought to another format by ${m.by}: wait for it, then try again`,
  },
  MIGRATION_FAILED: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { what: string; to: number; name: string; reason: string }) =>
      `${m.what} is not in format ${m.to} yet: "${m.name}" failed: ${m.reason}; what was done before it stays. Mend that and try again`,
  },
  LISTENER_NOT_DECLARED: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { service: string; topic: string; handler: string }) =>
      `${m.handler} hears ${m.topic}, but the event map does not name ${m.service} as its listener: add it there`,
  },
  WHEN_AMBIGUOUS: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { handler: string; topic: string; reason: string }) => `${m.handler}, ${m.topic}: ${m.reason}`,
    remedy: 'report it: the program is at fault',
  },
  GROUP_INVALID: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { listener: string; service: string; reason: string }) =>
      `${m.listener}: ${m.reason}; state one that no other class has: @ConsumerGroup('${m.service}.…')`,
  },
  PAYLOAD_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { topic: string; id: string; reason: string }) =>
      `event ${m.id} of ${m.topic} has no valid payload: ${m.reason}`,
    remedy: 'mend what sends the event, send it again, and discard this one: driftloop discard',
  },
  GROUP_UNKNOWN: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { group: string; service: string; known: string[] }) =>
      `${m.service} has no group "${m.group}"; it has: ${m.known.join(', ') || 'none'}`,
    remedy: 'name one of these groups',
  },
  DISCARD_UNNAMED: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { group: string }) =>
      `nothing of ${m.group} is discarded: name the events, or say that all of them are meant, and not both`,
    remedy: 'give event ids, or `all`',
  },
  CREDENTIAL_MISSING: {
    status: 'UNAUTHENTICATED',
    retriable: false,
    message: (_: Record<string, never>) => 'this call needs the metadata `authorization: Bearer <DRIFTLOOP_TOKEN>`',
    remedy: 'send a token: DRIFTLOOP_TOKEN for the command line and the client',
  },
  TOKENS_INVALID: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { file: string; faults: readonly TokenFault[] }) =>
      `the token file ${m.file} is not valid: ${m.faults.slice(0, 5).map(tokenFault).join('; ')}; \`driftloop token NAME --role ROLE\` writes a line`,
  },
  CREDENTIAL_REFUSED: {
    status: 'UNAUTHENTICATED',
    retriable: false,
    message: (_: Record<string, never>) => 'the bearer token is not known here',
    cause: 'the token is mistyped, or its line has left the token file',
    remedy: "send a token that is in the token file, or DRIFTLOOP_TOKEN's; `driftloop token` makes one",
  },
  ROLE_MISSING: {
    status: 'PERMISSION_DENIED',
    retriable: false,
    message: (m: { method: string; needed: string; name: string; roles: readonly string[] }) =>
      `${m.method} needs the role ${m.needed}, and ${m.name} has ${m.roles.join(', ')}: call with another token, or have the role added`,
  },
  NOT_LEADING: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (m: { name: string; leader: string }) =>
      `this replica of ${m.name} does not lead: ${m.leader} does or will; give clients every replica's address`,
  },
  STOPPED: {
    status: 'ABORTED',
    retriable: true,
    message: (m: { service: string }) => `${m.service} was stopped while it waited for the lead`,
    remedy: 'nothing: another replica leads',
  },
  MODEL_SET_ASIDE: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { model: string; work: string; reason: string }) =>
      `model "${m.model}" is set aside here, its ${m.work} failed: ${m.reason}; mend the cause, or apply a spec that does; other models go on`,
    remedy: 'mend the cause, or apply a spec that does',
  },
  TEXT_TOO_LONG: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { field: string; length: number; limit: number }) =>
      `${m.field} is ${m.length} long; send at most ${m.limit}`,
  },
  CALL_UNAVAILABLE: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (m: { method: string; reason: string }) => `${m.method} cannot be reached: ${m.reason}; try again`,
    cause: 'the service is stopped or starting, or its address is another (DRIFTLOOP_…_ADDRESS)',
  },
  CALL_TIMED_OUT: {
    status: 'DEADLINE_EXCEEDED',
    retriable: true,
    message: (m: { method: string; deadlineMs: number }) =>
      `${m.method} did not answer within ${m.deadlineMs} ms; try again`,
    cause: 'the service is busy, or waits for what it depends on itself',
  },
  CALL_FAILED: {
    status: 'INTERNAL',
    retriable: false,
    message: (m: { method: string; status: string; reason: string }) => `${m.method}: ${m.status}: ${m.reason}`,
    cause: 'a fault that the service did not name',
    remedy: 'look for the method in the log of the service that was called',
  },
  MESSAGE_TOO_LARGE: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: false,
    message: (m: { method: string; limit: number }) =>
      `${m.method} takes messages of at most ${m.limit} bytes, before and after compression: send it in parts`,
  },
  MESSAGE_HOLDS_TOO_MUCH: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: false,
    message: (m: { method: string; what: string; limit: number }) =>
      `${m.method} takes at most ${m.limit} ${m.what} in one message: send it in parts`,
  },
  MESSAGE_MALFORMED: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { method: string; reason: string }) => `${m.method} was sent what is no message of its: ${m.reason}`,
    remedy: 'make the message with the .proto files of this release',
  },
  FIELD_UNREADABLE: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { method: string; field: string; problem: string }) => `${m.method}: ${m.field} ${m.problem}`,
    remedy: 'send a value that the field can hold: whole numbers within 2^53, texts in UTF-8',
  },
  ENCODING_UNKNOWN: {
    status: 'UNIMPLEMENTED',
    retriable: false,
    message: (m: { method: string }) => `${m.method} reads messages that are not compressed, or by gzip or deflate`,
    remedy: 'send it uncompressed, or by gzip',
  },
  OVERLOADED: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: true,
    message: (m: { reason: string; retryAfterMs: number }) =>
      `more is asked of this server than fits (${m.reason}): try again in ${m.retryAfterMs} ms`,
  },
  REQUEST_LATE: {
    status: 'DEADLINE_EXCEEDED',
    retriable: true,
    message: (m: { method: string; ms: number }) =>
      `${m.method} was ended: no whole message came within ${m.ms} ms; open it again when there is something to send`,
  },
});
