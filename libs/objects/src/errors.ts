/** What can go wrong with objects, whoever stores them. */
import { catalogue } from '@driftloop/contracts';

export const errors = catalogue('objects', {
  OBJECT_NOT_FOUND: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { key: string }) => `there is no object ${m.key}`,
    remedy: 'restore the object, or make what it held again',
  },
  OBJECT_CORRUPT: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { key: string; expected: string; found: string }) =>
      `object ${m.key} has SHA-256 ${m.found}, not ${m.expected}; its bytes were changed: restore it or make it again`,
  },
  OBJECT_KEY_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { key: string }) =>
      `object key ${JSON.stringify(m.key)} must be segments of [A-Za-z0-9._=-] joined by /, none of them empty, . or .., at most 250 characters each and 512 in all`,
    remedy: 'report it: the program is at fault',
  },
  OBJECT_SOURCE_MISSING: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { key: string; path: string }) => `there is no file ${m.path} to store as ${m.key}`,
    remedy: 'report it: the program is at fault',
  },
  OBJECT_SOURCE_CHANGED: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { path: string }) =>
      `${m.path} was changed while it was stored, and nothing was stored; hand a file over when it is written`,
  },
  OBJECTS_SETTING_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { setting: string; expected: string; found: string }) =>
      `the object store's ${m.setting} must be ${m.expected}, found ${m.found}`,
    remedy: 'set what it must be',
  },
  OBJECTS_REFUSED: {
    status: 'PERMISSION_DENIED',
    retriable: false,
    message: (m: { endpoint: string; bucket: string; reason: string }) =>
      `the object store at ${m.endpoint} does not let us use the bucket ${m.bucket}: ${m.reason}`,
    remedy: 'give the account the right to read, write and delete there',
  },
  OBJECTS_UNAVAILABLE: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (m: { reason: string }) => `the object store is not available: ${m.reason}; try again`,
    cause: 'the store cannot be reached, or its disk is full',
  },
});
