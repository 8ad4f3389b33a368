/**
 * predictions.made in bounded batches, round the outbox: high volume, at most one flush interval lost in a crash.
 *
 * I1  Live, a full buffer drops the newest, whatever its arm, and the next batch says how many; in a replay the caller waits.
 * I2  A batch stays under 400 KB of JSON, below the bus's limit with room to spare.
 * I3  While anything waits the bus is held, so that "settled" means logged; when nobody is being answered, it goes out at once.
 */
import { createHash } from 'node:crypto';
import { Bus } from '@driftloop/bus';
import { events, type Prediction, PredictionsMade } from '@driftloop/contracts';
import { Log, WallClock } from '@driftloop/service';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ServedModel } from './served-models.js';

interface Buffer {
  model: ServedModel;
  predictions: Prediction[];
  dropped: number;
}

const capacity = 20_000;
const batchBytes = 400_000;
const flushMs = 200;

@Injectable()
export class PredictionLog implements OnApplicationShutdown {
  private readonly buffers = new Map<string, Buffer>();
  private readonly replica: string;
  private waiting = 0;
  private inFlight = 0;
  private held: { release(): void } | undefined;
  private flushing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly log: Log,
    clock: WallClock,
  ) {
    this.replica = createHash('sha256').update(`${process.pid}/${clock.now()}`).digest('hex').slice(0, 8);
  }

  /** Brackets an answer being made: while there are some, batches may grow. */
  began(): void {
    this.inFlight++;
  }

  ended(): void {
    if (--this.inFlight === 0 && this.waiting) void this.flush();
  }

  /** Logs predictions of a model. `block`: waits for room instead of dropping. */
  async add(model: ServedModel, predictions: Prediction[], block: boolean): Promise<void> {
    while (block && this.waiting + predictions.length > capacity) await this.flush();
    const key = `${model.tenant}/${model.model}/${model.specRevision}`;
    const buffer = this.buffers.get(key) ?? { model, predictions: [], dropped: 0 };
    this.buffers.set(key, buffer);
    const room = Math.max(0, capacity - this.waiting);
    buffer.predictions.push(...predictions.slice(0, room));
    buffer.dropped += Math.max(0, predictions.length - room);
    this.waiting += Math.min(room, predictions.length);
    this.held ??= this.bus.hold('predictions waiting to be logged');
    this.timer ??= setTimeout(() => void this.flush(), flushMs);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.flush();
    clearTimeout(this.timer);
  }

  /** Publishes what waits. A bus that is away leaves it waiting, for the next interval. */
  flush(): Promise<void> {
    this.flushing ??= this.publish().finally(() => {
      this.flushing = undefined;
      if (this.waiting && this.inFlight === 0) void this.flush();
    });
    return this.flushing;
  }

  private async publish(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const buffer of this.buffers.values()) {
      const { model, predictions, dropped } = buffer;
      if (!predictions.length && !dropped) continue;
      const taken = [...predictions];
      try {
        await this.bus.publish(batches(model, taken, dropped, this.replica));
      } catch (error) {
        this.log.warn(
          { waiting: this.waiting, problem: (error as Error).message },
          'predictions could not be logged yet',
        );
        await new Promise((resolve) => setTimeout(resolve, flushMs));
        return;
      }
      predictions.splice(0, taken.length);
      buffer.dropped -= dropped;
      this.waiting -= taken.length;
    }
    if (this.waiting) return;
    this.held?.release();
    this.held = undefined;
  }
}

/** The events of some predictions, split by size; each id is the hash of what it holds, so that a repeat is the same event. */
function batches({ tenant, model, layout }: ServedModel, predictions: Prediction[], dropped: number, replica: string) {
  const { topic, payload, key } = events.predictionsMade;
  const parts: Prediction[][] = [[]];
  let bytes = 0;
  for (const prediction of predictions) {
    const size = 300 + 20 * prediction.numbers.length + 80 * prediction.shadows.length + prediction.texts.join().length;
    if (bytes + size > batchBytes) parts.push([]);
    bytes = parts.at(-1)!.length ? bytes + size : size;
    parts.at(-1)!.push(prediction);
  }
  return parts.map((part, i) => {
    const names = { numberFeatures: layout.numbers, textFeatures: layout.texts };
    const message = PredictionsMade.fromPartial({
      tenant,
      model,
      ...names,
      predictions: part,
      replica,
      dropped: i ? 0 : dropped,
    });
    const id = createHash('sha256')
      .update(part.map((p) => p.id).join('\n'))
      .digest('hex')
      .slice(0, 32);
    const time = Math.max(0, ...part.map((p) => p.eventTime!.getTime()));
    return { id, topic, key: key(message), time, source: 'serving', data: payload.toJSON(message) };
  });
}
