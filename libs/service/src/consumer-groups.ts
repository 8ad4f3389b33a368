/**
 * The consumer groups of a service's handlers.
 *
 * I1  A class is one group over all topics that it hears, and no other class is in it; no topic twice in a class.
 * I2  A group begins with its service's name and a dot: by that others find the service (gateway's dead letters).
 */
import type { MessageHandler } from '@nestjs/microservices';
import { errors } from './errors.js';
import { type Listening, statedGroup, type WhenMetadata } from './when.js';

export interface Heard {
  readonly when: WhenMetadata;
  readonly handle: MessageHandler;
}

export interface Group {
  readonly name: string;
  readonly topics: Map<string, Heard>;
  readonly from: 'earliest' | 'latest';
}

/** The groups of these handlers in a replica of a service. Throws GROUP_INVALID (I1, I2) or WHEN_AMBIGUOUS. */
export function groupsOf(service: string, replica: string, all: readonly Heard[]): Group[] {
  const groups = new Map<string, Group>();
  const listeners = new Map<string, Listening>();
  for (const heard of all) {
    const { listener, definition } = heard.when;
    const id = idOf(service, listener);
    const other = listeners.get(id) ?? listener;
    if (other !== listener) throw invalid(service, listener, `${other.name} is consumer group ${id} already`);
    listeners.set(id, listener);
    const found = groupOf(id, replica, heard.when);
    const group = groups.get(found.name) ?? found;
    const { topic } = definition;
    const reason = 'the class hears this topic twice';
    if (group.topics.has(topic)) throw errors.WHEN_AMBIGUOUS({ handler: handlerOf(heard.when), topic, reason });
    group.topics.set(topic, heard);
    groups.set(group.name, group);
  }
  return [...groups.values()];
}

/** A handler as people know it. */
export function handlerOf({ listener, method }: WhenMetadata): string {
  return `${listener.name}.${method}`;
}

function idOf(service: string, listener: Listening): string {
  const id = statedGroup(listener);
  if (!id) throw invalid(service, listener, 'it has @When and no consumer group');
  if (!id.startsWith(`${service}.`)) throw invalid(service, listener, `consumer group ${id} is not of ${service}`);
  return id;
}

const invalid = (service: string, { name }: Listening, reason: string) =>
  errors.GROUP_INVALID({ listener: name, service, reason });

/** State comes whole from a compacted topic; other topics are news, which a new replica hears from now on. */
function groupOf(id: string, replica: string, { definition, options }: WhenMetadata): Group {
  if (options.each !== 'replica') return { name: id, topics: new Map(), from: 'earliest' };
  const kind = definition.keep === 'compact' ? 'state' : 'news';
  const from = kind === 'state' ? 'earliest' : 'latest';
  const suffix = kind === 'state' ? '' : '.news';
  return { name: `${id}${suffix}.${replica}`, topics: new Map(), from };
}
