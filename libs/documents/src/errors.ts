/** What can go wrong with documents and the outbox. */
import { catalogue } from '@driftloop/contracts';

export const errors = catalogue('documents', {
  OUTBOX_FULL: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: true,
    message: (m: { collection: string; id: string; limit: number }) =>
      `${m.collection} ${m.id} has ${m.limit} unsent events; nothing was saved, try again when the bus is back`,
    cause: 'the bus has been away for long',
  },
  OUTBOX_TOO_MANY: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { collection: string; id: string; events: number; limit: number }) =>
      `${m.collection} ${m.id}: ${m.events} events in one save, at most ${m.limit}; spread them over documents`,
  },
  OUTBOX_EVENT_TOO_LARGE: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { topic: string; bytes: number; limit: number }) =>
      `an event of ${m.topic} is ${m.bytes} bytes of JSON, more than ${m.limit}; send a reference to an object`,
  },
  OUTBOX_WRONG_SPEAKER: {
    status: 'INTERNAL',
    retriable: false,
    message: (m: { topic: string; speaker: string; service: string }) =>
      `${m.topic} is spoken by ${m.speaker}, not by ${m.service}; see the event map`,
    cause: 'the event map names another speaker',
    remedy: 'report it: the program is at fault',
  },
  OUTBOX_NOT_OUTBOXED: {
    status: 'INTERNAL',
    retriable: false,
    message: (m: { collection: string }) => `${m.collection} cannot emit: its schema lacks .plugin(outboxed)`,
    remedy: 'report it: the program is at fault',
  },
  DOCUMENTS_UNAVAILABLE: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (m: { reason: string }) => `the documents are not available: ${m.reason}; nothing was changed, try again`,
  },
  OUTBOX_CLOSED: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: () => 'the outbox is closed: the service is stopping',
    remedy: 'send it again when the service is up',
  },
  DOCUMENT_MOVED: {
    status: 'ABORTED',
    retriable: true,
    message: (m: { collection: string; id: string }) =>
      `${m.collection} ${m.id} was changed by somebody else; read it again and retry`,
    cause: 'two replicas, or two people, acted at the same time',
  },
  DOCUMENT_GONE: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { collection: string; id: string }) => `${m.collection} ${m.id} is no longer there`,
    remedy: 'read again what is there',
  },
  DOCUMENT_PENDING: {
    status: 'FAILED_PRECONDITION',
    retriable: true,
    message: (m: { collection: string }) =>
      `${m.collection}: a document with unsent events was not deleted; try again when they are sent`,
  },
});
