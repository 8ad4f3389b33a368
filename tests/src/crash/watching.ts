/**
 * What the preloaded watcher is told, and what it tells: a process counts the passages of each point, and may have to die
 * at one of them.
 */

/** Environment variable with a `Watching` as JSON. */
export const watchingVariable = 'DRIFTLOOP_WATCHING';

/** A passage of a point: the n-th time (from 1) that a run comes by. */
export interface Passage {
  /** The channel's name, and what its message says: `driftloop:bus.before-publish model.trained`. */
  readonly point: string;
  readonly nth: number;
}

export interface Watching {
  readonly channels: readonly string[];
  /** Here threads count: a line a passage. The main thread's counts are written beside it, as JSON, at its end. */
  readonly counts: string;
  readonly die?: Passage;
}

/** Where the main thread's counts are. */
export const mainCounts = (counts: string): string => `${counts}.json`;

/** The name of a point: its channel, and which (objects are counted by their folder: their names are hashes). */
export function pointOf(channel: string, message: unknown): string {
  if (typeof message !== 'string') return channel;
  return `${channel} ${channel.includes(':objects.') ? message.split('/').slice(0, 2).join('/') : message}`;
}
