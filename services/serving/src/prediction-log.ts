/**
 * predictions.made in bounded batches, round the outbox: high volume, at most one flush interval lost in a crash.
 *
 * I1  Live, a full buffer drops the newest, whatever its arm, and the next batch says how many; in a replay the caller
 *     waits until there is room, and has its answer when the prediction is durable (`durable`): whoever asks goes on only
 *     from what is not lost, however serving ends.
 * I2  While anything waits the bus is held, so that "settled" means logged. Live, it goes out after an interval or a
 *     hundred; a replay's goes out at once when nobody is being answered.
 * I3  An event that the bus refuses for good is counted as dropped, aloud: it stands in the way of none of the others.
 */
import { Bus, type OutgoingEvent } from '@driftloop/bus';
import { isRetriable, type Prediction, type PredictionsMade } from '@driftloop/contracts';
import { Log, type QueueState, Settings } from '@driftloop/service';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { servingPoints } from './points.js';
import { batchesOf } from './prediction-batches.js';
import type { ServedModel } from './served-models.js';

interface Buffer {
  readonly model: ServedModel;
  predictions: Prediction[];
  dropped: number;
  /** Predictions that came, and of those the ones that are durable or given up: they go out in their order. */
  added: number;
  done: number;
  readonly askers: { readonly at: number; readonly resolve: () => void }[];
}

/** Most predictions that wait, of all models. */
export const logCapacity = 20_000;
const flushMs = 200;
/** So many go out without waiting: more at once would keep the event loop from answering. */
const flushCount = 100;
/** How often a stop tries to publish what waits. */
const lastTries = 10;

@Injectable()
export class PredictionLog implements OnApplicationShutdown {
  private readonly buffers = new Map<string, Buffer>();
  private waiting = 0;
  private dropped = 0;
  private inFlight = 0;
  private hurried = false;
  private full = false;
  private held: { release(): void } | undefined;
  private flushing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly log: Log,
    private readonly settings: Settings,
  ) {}

  get state(): QueueState {
    return { depth: this.waiting, dropped: this.dropped };
  }

  /** Brackets an answer being made: while there are some, batches may grow. */
  began(): void {
    this.inFlight++;
  }

  ended(): void {
    if (--this.inFlight === 0 && this.waiting && this.hurried) void this.flush();
  }

  /** Logs predictions of a model. `block`, for a replay: waits for room instead of dropping. */
  async add(model: ServedModel, predictions: readonly Prediction[], block: boolean): Promise<void> {
    while (block && this.waiting && this.waiting + predictions.length > logCapacity) await this.flush();
    const room = block ? predictions.length : Math.max(0, logCapacity - this.waiting);
    const buffer = this.bufferOf(model);
    for (let i = 0; i < predictions.length && i < room; i++) buffer.predictions.push(predictions[i]);
    buffer.dropped += Math.max(0, predictions.length - room);
    this.dropped += Math.max(0, predictions.length - room);
    this.waiting += Math.min(room, predictions.length);
    buffer.added += Math.min(room, predictions.length);
    this.hurried ||= block;
    this.held ??= this.bus.hold('predictions waiting to be logged');
    this.flushSoon();
  }

  /** Resolves when the predictions of a model that have been added so far are durable, or given up aloud (I3). */
  async durable(model: ServedModel): Promise<void> {
    const buffer = this.bufferOf(model);
    const { added: at, done } = buffer;
    if (done < at) await new Promise<void>((resolve) => buffer.askers.push({ at, resolve }));
  }

  /** What waits goes out, or is told of where the bus stays away. */
  async onApplicationShutdown(): Promise<void> {
    for (let i = 0; this.waiting && i < lastTries; i++) await this.flush();
    clearTimeout(this.timer);
    if (this.waiting) this.log.error({ lost: this.waiting }, 'predictions could not be logged before the stop');
    this.held?.release();
  }

  /** Publishes what waits. A bus that is away leaves it waiting, for the next interval. */
  flush(): Promise<void> {
    this.flushing ??= this.publish().finally(() => {
      this.flushing = undefined;
      if (this.waiting && this.inFlight === 0 && this.hurried) void this.flush();
      else if (this.waiting) this.flushSoon();
    });
    return this.flushing;
  }

  private flushSoon(): void {
    this.timer ??= setTimeout(() => void this.flush(), flushMs);
    if (this.waiting < flushCount || this.full) return;
    this.full = true;
    setImmediate(() => {
      this.full = false;
      void this.flush();
    });
  }

  private bufferOf(model: ServedModel): Buffer {
    const key = `${model.key}/${model.specRevision}`;
    const known = this.buffers.get(key);
    if (known) return known;
    const buffer: Buffer = { model, predictions: [], dropped: 0, added: 0, done: 0, askers: [] };
    this.buffers.set(key, buffer);
    return buffer;
  }

  private async publish(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const buffer of this.buffers.values()) if (!(await this.publishAll(buffer))) return;
    if (this.waiting) return;
    this.hurried = false;
    this.held?.release();
    this.held = undefined;
  }

  /** False where the bus is away. */
  private async publishAll(buffer: Buffer): Promise<boolean> {
    while (buffer.predictions.length) {
      const { predictions, dropped } = buffer;
      buffer.predictions = [];
      buffer.dropped = 0;
      try {
        servingPoints.beforeBatch.publish(buffer.model.key);
        const refused = await this.send(batchesOf(buffer.model, predictions, dropped, this.settings.replica));
        buffer.dropped += refused;
        servingPoints.afterBatch.publish(buffer.model.key);
      } catch (error) {
        const problem = (error as Error).message;
        buffer.predictions = [...predictions, ...buffer.predictions];
        buffer.dropped += dropped;
        this.log.warn({ waiting: this.waiting, problem }, 'predictions could not be logged yet');
        await new Promise((resolve) => setTimeout(resolve, flushMs));
        return false;
      }
      this.waiting -= predictions.length;
      buffer.done += predictions.length;
      while (buffer.askers.length && buffer.askers[0].at <= buffer.done) buffer.askers.shift()!.resolve();
    }
    return true;
  }

  /** I3. Publishes events; resolves to what the next has to say was dropped. Throws where the bus is away. */
  private async send(batches: readonly OutgoingEvent[]): Promise<number> {
    try {
      await this.bus.publish(batches);
      return 0;
    } catch (error) {
      if (isRetriable(error)) throw error;
      if (batches.length === 1) return this.drop(batches[0].data as PredictionsMade, error as Error);
    }
    let refused = 0;
    for (const batch of batches) refused += await this.send([batch]);
    return refused;
  }

  private drop({ predictions, dropped = 0 }: PredictionsMade, { message: problem }: Error): number {
    this.dropped += predictions.length;
    this.log.error({ dropped: predictions.length, problem }, 'predictions cannot be logged');
    return predictions.length + dropped;
  }
}
