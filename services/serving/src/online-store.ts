/**
 * The feature store's online door: questions that arrive together are read together.
 *
 * I1  A batch is of one model and one kind (live or replay), and waits as long as its least patient question.
 * I2  So many questions wait at most: above the limit one is refused (QUEUE_FULL), never dropped.
 * I3  A row is told in the asking model's layout, by the names that the store gives with it.
 */
import { type FeatureQuestion, type FeatureRow, FeatureStoreClient, type ReadOnlineReply } from '@driftloop/contracts';
import { Addresses, call, type QueueState } from '@driftloop/service';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { errors } from './errors.js';
import type { Reading } from './feature-reader.js';
import type { ServedModel } from './served-models.js';

/** A row in the asking model's layout. */
export type StoredRow = Pick<FeatureRow, 'numbers' | 'texts' | 'unknownEntity' | 'entityTime' | 'complete'>;

interface Waiting {
  readonly question: FeatureQuestion;
  readonly resolve: (row: StoredRow | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  readonly model: ServedModel;
  readonly replay: boolean;
  readonly waiting: Waiting[];
  patienceMs: number;
}

/** Wall ms that a live question, and a replayed one, waits at most. */
const liveMs = 100;
const replayMs = 60_000;
const largestBatch = 200;
/** Questions that wait at most. */
export const onlineLimit = 20_000;

@Injectable()
export class OnlineStore implements OnApplicationShutdown {
  private client: FeatureStoreClient | undefined;
  private readonly batches = new Map<string, Batch>();
  private waiting = 0;
  private refused = 0;

  /** Made at the first question: where the store listens is known only once it has started. */
  constructor(private readonly addresses: Addresses) {}

  get state(): QueueState {
    return { depth: this.waiting, refused: this.refused };
  }

  onApplicationShutdown(): void {
    this.client?.close();
  }

  /**
   * What the store knows of a question; live undefined where it is away or late. Throws QUEUE_FULL; in a
   * replay FEATURES_AWAY.
   */
  read(model: ServedModel, question: FeatureQuestion, reading: Reading): Promise<StoredRow | undefined> {
    const { replay, patienceMs } = reading;
    if (this.waiting >= onlineLimit) {
      this.refused++;
      return Promise.reject(errors.QUEUE_FULL({ limit: onlineLimit }));
    }
    this.waiting++;
    const key = `${model.key}/${model.specRevision}/${replay}`;
    return new Promise((resolve, reject) => {
      const batch = this.batches.get(key) ?? this.begin(key, model, replay);
      batch.waiting.push({ question, resolve, reject });
      batch.patienceMs = Math.min(batch.patienceMs, replay ? replayMs : patienceMs);
      if (batch.waiting.length >= largestBatch) void this.send(key, batch);
    });
  }

  private begin(key: string, model: ServedModel, replay: boolean): Batch {
    const batch = { model, replay, waiting: [], patienceMs: replay ? replayMs : liveMs };
    this.batches.set(key, batch);
    setImmediate(() => void this.send(key, batch));
    return batch;
  }

  private async send(key: string, batch: Batch): Promise<void> {
    if (this.batches.get(key) !== batch) return;
    this.batches.delete(key);
    try {
      const reply = await this.ask(batch);
      const rowOf = rowsInLayout(batch.model, reply);
      for (const [i, { resolve, reject }] of batch.waiting.entries()) {
        const row = rowOf(i);
        if (batch.replay && !row?.complete)
          reject(errors.FEATURES_AWAY({ reason: 'it has not read all of that time' }));
        else resolve(row);
      }
    } catch (error) {
      const away = errors.FEATURES_AWAY({ reason: (error as Error).message });
      for (const { resolve, reject } of batch.waiting) batch.replay ? reject(away) : resolve(undefined);
    } finally {
      this.waiting -= batch.waiting.length;
    }
  }

  /** The store waits for its watermark half of the time that there is, so that its answer still arrives. */
  private ask({ model, waiting, patienceMs }: Batch): Promise<ReadOnlineReply> {
    this.client ??= this.addresses.client(FeatureStoreClient, 'feature-store');
    const questions = waiting.map(({ question }) => question);
    const request = { model: model.model, questions, deadlineMs: Math.floor(patienceMs / 2) };
    return call(this.client, 'readOnline', request, { deadlineMs: patienceMs });
  }
}

/** I3 */
function rowsInLayout({ layout }: ServedModel, reply: ReadOnlineReply): (i: number) => StoredRow | undefined {
  const { rows, numberFeatures, textFeatures } = reply;
  const same = sameNames(numberFeatures, layout.numbers) && sameNames(textFeatures, layout.texts);
  if (same) return (i) => rows[i];
  const numbersAt = layout.numbers.map((name) => numberFeatures.indexOf(name));
  const textsAt = layout.texts.map((name) => textFeatures.indexOf(name));
  return (i) =>
    rows[i] && {
      ...rows[i],
      numbers: numbersAt.map((at) => rows[i].numbers[at] ?? Number.NaN),
      texts: textsAt.map((at) => rows[i].texts[at] ?? ''),
    };
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}
