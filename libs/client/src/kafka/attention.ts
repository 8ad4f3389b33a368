/**
 * What is done for one record: read, handled, tried again, set aside.
 *
 * I1  A record counts as done when its handler returned or when `poison` took it. Nothing else moves the group past it.
 * I2  What says that it is retriable is tried for as long as it takes; anything else `attempts` times.
 */
import { setTimeout as pass } from 'node:timers/promises';
import type { KafkaMessage } from 'kafkajs';
import { CallFailed } from '../failure.js';
import { type Poison, poisonOf, type Route } from './event.js';
import type { Place } from './places.js';

export interface AttentionOptions {
  readonly attempts: number;
  readonly retryDelayMs: number;
  readonly poison?: ((poison: Poison) => Promise<void> | void) | undefined;
  /** Ends waits between tries. */
  readonly signal: AbortSignal;
}

const longestDelayMs = 5000;

/**
 * Resolves with whether the record is done: false where the signal ended it before. `stillOurs` throws where the partition
 * has gone to another. Throws EVENT_UNREADABLE and HANDLER_FAILED where nobody takes poison, and what `poison` throws.
 */
export async function attend(
  route: Route,
  message: KafkaMessage,
  place: Place,
  options: AttentionOptions,
  stillOurs: () => Promise<void>,
): Promise<boolean> {
  let event: ReturnType<Route['read']>;
  try {
    event = route.read(message, place);
  } catch (error) {
    return setAside(options, 'EVENT_UNREADABLE', poisonOf(message, place, error, 0));
  }
  for (let attempt = 1; ; attempt++) {
    try {
      await route.handle({ ...event, attempt });
      return true;
    } catch (error) {
      if (options.signal.aborted) return false;
      const isRetriable = (error as { retriable?: unknown } | null)?.retriable === true;
      if (attempt >= options.attempts && !isRetriable)
        return setAside(options, 'HANDLER_FAILED', poisonOf(message, place, error, attempt));
    }
    const delay = Math.min(options.retryDelayMs * 2 ** (attempt - 1), longestDelayMs);
    await pass(delay, undefined, { signal: options.signal }).catch(() => undefined);
    if (options.signal.aborted) return false;
    await stillOurs();
  }
}

async function setAside({ poison }: AttentionOptions, code: string, letter: Poison): Promise<true> {
  if (poison) {
    await poison(letter);
    return true;
  }
  const { place, id, attempts, error } = letter;
  const where = `${place.topic}/${place.partition} at ${place.offset}${id && ` (${id})`}`;
  const what = code === 'EVENT_UNREADABLE' ? 'cannot be read' : `failed ${attempts} times`;
  throw new CallFailed(
    code,
    `${where} ${what}: ${error?.message ?? error}; give "poison" to set such events aside`,
    false,
    {
      ...place,
    },
  );
}
