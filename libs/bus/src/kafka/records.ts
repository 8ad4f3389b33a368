/** Facts as records of Kafka, and back. */
import { attributesOf, cloudEventHeaders, readCloudEvent } from '@driftloop/contracts';
import type { KafkaMessage } from 'kafkajs';
import type { HeardEvent, OutgoingEvent } from '../bus.js';
import { jsonOf } from '../checks.js';
import type { Placed } from './publisher.js';

/** An event as it came from a partition; `fault` where the record is no CloudEvent, which the group then buries. */
export interface Received {
  readonly event: Omit<HeardEvent, 'attempt'>;
  readonly fault?: unknown;
}

/** The record of a fact in a physical topic. Throws BUS_EVENT_INVALID or BUS_EVENT_TOO_LARGE. */
export function recordOf(physical: string, event: OutgoingEvent): Placed {
  const value = jsonOf(event);
  const headers = cloudEventHeaders(event);
  return { topic: physical, message: { key: event.key, value, headers }, bytes: value.length + 512 };
}

/** What a record of a topic says. Never throws. */
export function receivedOf(topic: string, partition: number, message: KafkaMessage): Received {
  const offset = Number(message.offset);
  try {
    return { event: { ...readCloudEvent(topic, message as never), partition, offset } };
  } catch (fault) {
    const attributes = attributesOf(topic, message as never);
    const id = attributes.id || `${topic}/${partition}/${offset}`;
    const time = Number.isFinite(attributes.time) ? attributes.time : Number(message.timestamp);
    const data = message.value?.toString('utf8') ?? null;
    return { event: { ...attributes, id, time, data, partition, offset }, fault };
  }
}

/** Records that are CloudEvents; others are for groups to bury, and for readers nothing. */
export function heardOf(topic: string, partition: number, messages: readonly KafkaMessage[]): HeardEvent[] {
  return messages.flatMap((message) => {
    const { event, fault } = receivedOf(topic, partition, message);
    return fault ? [] : [{ ...event, attempt: 1 }];
  });
}
