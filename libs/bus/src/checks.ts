/** What an event and a topic must be before they reach a log, whoever implements it. */
import type { OutgoingEvent, TopicOptions } from './bus.js';
import { errors } from './errors.js';

/** The greatest event, in bytes of JSON: Kafka's default for a message. */
export const largestEvent = 1024 * 1024;

/** The JSON of an event's data. Throws BUS_EVENT_INVALID or BUS_EVENT_TOO_LARGE. */
export function jsonOf(event: OutgoingEvent): string {
  const { topic, id, key, time } = event;
  if (typeof id !== 'string' || id === '') throw invalid(event, 'id', 'a string that is not empty');
  if (typeof key !== 'string') throw invalid(event, 'key', 'a string');
  if (!Number.isFinite(time)) throw invalid(event, 'time', 'a finite number of milliseconds');
  const json = stringify(event);
  const bytes = json.length * 3 > largestEvent ? Buffer.byteLength(json) : json.length;
  if (bytes > largestEvent) throw errors.BUS_EVENT_TOO_LARGE({ topic, id, bytes, limit: largestEvent });
  return json;
}

/** Throws BUS_TOPIC_INVALID. */
export function checkTopic(topic: string, { partitions, keep }: TopicOptions): void {
  const wrong = (path: string, expected: string) => errors.BUS_TOPIC_INVALID({ topic, path, expected });
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(topic))
    throw wrong('name', 'up to 249 of letters, digits, dot, dash, underscore');
  if (!Number.isInteger(partitions) || partitions < 1) throw wrong('partitions', 'a whole number from 1 on');
  if (keep !== 'compact' && !/^\d+(\.\d+)?d$/.test(keep)) throw wrong('keep', 'days such as 7d, or compact');
}

function stringify(event: OutgoingEvent): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(event.data);
  } catch {
    json = undefined;
  }
  if (json === undefined) throw invalid(event, 'data', 'JSON');
  return json;
}

function invalid(event: OutgoingEvent, path: string, expected: string): Error {
  return errors.BUS_EVENT_INVALID({ topic: event.topic, id: String(event.id), path, expected });
}
