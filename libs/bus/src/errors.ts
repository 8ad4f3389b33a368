/** What can go wrong with the bus, whoever implements it. */
import { catalogue } from '@driftloop/contracts';

export const errors = catalogue('bus', {
  BUS_UNAVAILABLE: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (m: { reason: string }) => `the bus is not available: ${m.reason}; nothing was published, try again`,
    cause: 'the brokers cannot be reached, or refuse us',
  },
  BUS_EVENT_TOO_LARGE: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { topic: string; id: string; bytes: number; limit: number }) =>
      `event ${m.id} of ${m.topic} is ${m.bytes} bytes of JSON, more than ${m.limit}; split it, or send a reference to an object`,
  },
  BUS_EVENT_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { topic: string; id: string; path: string; expected: string }) =>
      `event ${m.id} of ${m.topic}: ${m.path} must be ${m.expected}`,
    remedy: 'mend what publishes the event',
  },
  BUS_TOPIC_UNKNOWN: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { topic: string }) => `topic ${m.topic} does not exist; declare it before publishing or subscribing`,
  },
  BUS_TOPIC_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { topic: string; path: string; expected: string }) =>
      `topic ${m.topic}: ${m.path} must be ${m.expected}`,
    remedy: 'mend the topic in the event map',
  },
  BUS_TOPIC_CONFLICT: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { topic: string; expected: number; found: number }) =>
      `topic ${m.topic} has ${m.found} partitions, not ${m.expected}; keys would move: use a new topic name`,
  },
  BUS_DEAD_LETTER_UNKNOWN: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { group: string; id: string }) =>
      `group ${m.group} has no dead letter ${m.id}; list its dead letters first`,
  },
});
