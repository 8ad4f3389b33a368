/**
 * Where the log ends, looked up once for everybody who waits for more: a stream that is idle costs nothing of its own.
 *
 * I1  Who waits is woken by whatever came after the ends that it has seen, which it looked up before it read.
 * I2  Nobody waits, nobody looks.
 */
import { Bus } from '@driftloop/bus';
import { Injectable } from '@nestjs/common';

/** The next offset of each partition, by topic. */
export type Ends = ReadonlyMap<string, readonly number[]>;

interface Waiting {
  readonly seen: Ends;
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
}

const everyMs = 100;

@Injectable()
export class EventTail {
  private readonly waiting = new Set<Waiting>();
  private looking = false;

  constructor(private readonly bus: Bus) {}

  async ends(topics: Iterable<string>): Promise<Ends> {
    const found = [...topics].map(async (topic) => [topic, await this.bus.ends(topic)] as const);
    return new Map(await Promise.all(found));
  }

  /** Resolves when there is more than was seen (I1), or when aborted. Throws what the bus throws. */
  beyond(seen: Ends, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const wake = () => resolve();
    const waiting: Waiting = { seen, wake, fail: reject };
    this.waiting.add(waiting);
    signal.addEventListener('abort', wake, { once: true });
    if (!this.looking) void this.look();
    return promise.finally(() => {
      this.waiting.delete(waiting);
      signal.removeEventListener('abort', wake);
    });
  }

  private async look(): Promise<void> {
    this.looking = true;
    while (this.waiting.size) {
      await new Promise((resolve) => setTimeout(resolve, everyMs));
      await this.wakeAll();
    }
    this.looking = false;
  }

  private async wakeAll(): Promise<void> {
    const asked = [...this.waiting];
    try {
      const ends = await this.ends(new Set(asked.flatMap(({ seen }) => [...seen.keys()])));
      for (const { seen, wake } of asked) if (isBeyond(ends, seen)) wake();
    } catch (error) {
      for (const { fail } of asked) fail(error);
    }
  }
}

function isBeyond(ends: Ends, seen: Ends): boolean {
  for (const [topic, offsets] of seen) if (ends.get(topic)?.some((end, p) => end > offsets[p])) return true;
  return false;
}
