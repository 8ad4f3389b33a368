/**
 * CloudEvents 1.0 in Kafka's binary content mode: a fact's attributes are headers (`ce_…`), its data is the record's value.
 * (CloudEvents Kafka Protocol Binding 1.0.2, section 3.2; `traceparent` is W3C's own header, so that tracers see it.)
 *
 * What Driftloop writes: `ce_specversion`, `ce_id`, `ce_source` (/driftloop/<service>), `ce_type` (the topic),
 * `ce_subject` (the key), `ce_time` (event time), `content-type`, `traceparent`. What it needs to read: `ce_id`; the rest
 * has a meaning without it: no time is the record's, no source is the outside, no subject is the record's key.
 */
import { catalogue } from './errors.js';
import { isEventMs } from './event-times.js';
import { deepestOf } from './nesting.js';
import { textLimits } from './text-limits.js';
import { msOfTime } from './times.js';

/** A fact, as the bus knows it. */
export interface CloudEventFields {
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  /** Event time, epoch ms. */
  readonly time: number;
  /** The speaking service, such as `labeling`. */
  readonly source: string;
  readonly data: unknown;
  readonly traceparent?: string | undefined;
}

/** A Kafka record as clients hand it over; kafkajs's own message fits. */
export interface KafkaRecord {
  readonly key?: Uint8Array | string | null;
  readonly value: Uint8Array | null;
  readonly headers?: Readonly<Record<string, unknown>>;
  /** The record's own timestamp, epoch ms as a number or in digits. */
  readonly timestamp?: string | number;
}

export const cloudEventErrors = catalogue('cloud-events', {
  CLOUD_EVENT_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { topic: string; path: string; expected: string }) =>
      `a record of ${m.topic} is no CloudEvent in binary mode with JSON data: ${m.path} must be ${m.expected}`,
    remedy: 'send the attributes as headers and JSON as the value, as docs/events.md shows',
  },
});

/** Of a fact's data: what is deeper could not be written again, as a dead letter or for a listener. */
const deepestData = 100;
const sourcePrefix = '/driftloop/';

/** The headers of a fact in binary mode. */
export function cloudEventHeaders(event: Omit<CloudEventFields, 'data'>): Record<string, string> {
  const { id, topic, key, time, source, traceparent } = event;
  return {
    ce_specversion: '1.0',
    ce_id: id,
    ce_source: sourcePrefix + source,
    ce_type: topic,
    ce_subject: key,
    ce_time: new Date(time).toISOString(),
    'content-type': 'application/json',
    ...(traceparent && { traceparent }),
  };
}

/** The fact in a record of a topic. Throws CLOUD_EVENT_INVALID, which says what is missing. */
export function readCloudEvent(topic: string, record: KafkaRecord): CloudEventFields {
  const attributes = attributesOf(topic, record);
  const invalid = (path: string, expected: string) => cloudEventErrors.CLOUD_EVENT_INVALID({ topic, path, expected });
  const { ce_specversion: version, ce_id: id } = record.headers ?? {};
  if (version !== undefined && text(version) !== '1.0') throw invalid('ce_specversion', '1.0');
  if (!text(id) || text(id).length > textLimits.text)
    throw invalid('ce_id', `a string that is not empty, of at most ${textLimits.text} characters`);
  if (attributes.key.length > textLimits.text)
    throw invalid('ce_subject, or the key', `a string of at most ${textLimits.text} characters`);
  if (!isEventMs(attributes.time)) throw invalid('ce_time', 'an RFC 3339 time between 1900 and 2200');
  const json = text(record.value);
  if (deepestOf(json) > deepestData) throw invalid('the value', `JSON that is nested at most ${deepestData} deep`);
  try {
    return { ...attributes, data: JSON.parse(json) };
  } catch {
    throw invalid('the value', 'JSON');
  }
}

/** What can be said of a record that may be no CloudEvent: for a dead letter. Never throws. */
export function attributesOf(topic: string, record: KafkaRecord): Omit<CloudEventFields, 'data'> {
  const headers = record.headers ?? {};
  const source = text(headers.ce_source);
  const traceparent = text(headers.traceparent);
  return {
    id: text(headers.ce_id),
    topic,
    key: text(headers.ce_subject) || text(record.key),
    time: headers.ce_time === undefined ? Number(record.timestamp ?? 0) : msOfTime(text(headers.ce_time)),
    source: source.startsWith(sourcePrefix) ? source.slice(sourcePrefix.length) : source || 'external',
    ...(traceparent && { traceparent }),
  };
}

/** A fact as one JSON object: CloudEvents' structured mode. */
export function structuredCloudEvent({ data, ...event }: CloudEventFields): Record<string, unknown> {
  const { id, topic, key, time, source, traceparent } = event;
  return {
    specversion: '1.0',
    id,
    type: topic,
    source: sourcePrefix + source,
    subject: key,
    time: new Date(time).toISOString(),
    datacontenttype: 'application/json',
    ...(traceparent && { traceparent }),
    data,
  };
}

/** Headers repeat, and clients differ in what they hand over: the first value counts. */
function text(value: unknown): string {
  if (Array.isArray(value)) return text(value[0]);
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
  return typeof value === 'string' ? value : '';
}
