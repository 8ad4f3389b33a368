/** Hearing Driftloop's events through the gateway's stream (server-sent events), from any position, reconnecting. */
import { eventOfTopic } from '@driftloop/contracts';
import { CallFailed } from './failure.js';

/** One event as product teams see it: a CloudEvent whose `data` is the decoded payload. */
export interface ReceivedEvent<T = unknown> {
  id: string;
  topic: string;
  source: string;
  time: Date;
  key: string;
  data: T;
  /** Where the stream stands after this event: hand it back as `after` to go on from here. */
  position: string;
}

export interface SubscribeOptions {
  topics: readonly string[];
  /** 'earliest', 'latest' (default), or a position of an event already heard. */
  after?: string;
  signal?: AbortSignal;
}

/** Events as they come; ends when the signal aborts. Throws CallFailed when the gateway refuses. */
export async function* subscribe(
  url: string,
  headers: Record<string, string>,
  options: SubscribeOptions,
): AsyncGenerator<ReceivedEvent> {
  let after = options.after ?? 'latest';
  while (!options.signal?.aborted) {
    try {
      for await (const message of messages(url, headers, { ...options, after })) {
        after = message.id;
        yield toEvent(message);
      }
    } catch (error) {
      if (options.signal?.aborted) return;
      if (error instanceof CallFailed && !error.retriable) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

interface Message {
  id: string;
  data: string;
}

async function* messages(
  url: string,
  headers: Record<string, string>,
  options: SubscribeOptions,
): AsyncGenerator<Message> {
  const query = new URLSearchParams({ topics: options.topics.join(','), after: options.after ?? 'latest' });
  const response = await fetch(`${url}/v1/events?${query}`, { headers, signal: options.signal });
  if (!response.ok || !response.body) {
    const problem = (await response.json().catch(() => ({}))) as Partial<CallFailed>;
    throw new CallFailed(
      problem.code ?? `HTTP_${response.status}`,
      problem.message ?? response.statusText,
      problem.retriable ?? response.status >= 500,
    );
  }
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
    rest = parts.pop()!;
    for (const part of parts) {
      const lines = part.split('\n');
      const field = (name: string) =>
        lines
          .find((line) => line.startsWith(`${name}:`))
          ?.slice(name.length + 1)
          .replace(/^ /, '');
      const data = field('data');
      if (data) yield { id: field('id') ?? '', data };
    }
  }
}

function toEvent({ id: position, data }: Message): ReceivedEvent {
  const event = JSON.parse(data);
  const payload = eventOfTopic(event.type)?.payload.fromJSON(event.data) ?? event.data;
  return {
    id: event.id,
    topic: event.type,
    source: event.source,
    time: new Date(event.time),
    key: event.subject,
    data: payload,
    position,
  };
}
