/**
 * The feature store's online door: questions that arrive together are read together.
 *
 * I1  A batch is of one model, one kind and one patience. Questions about now go together whoever asks; those whose time
 *     a caller gave only with the same caller's, since all of a batch wait for the latest of its times.
 * I2  So many questions wait at most, of each caller and of all: above a limit one is refused (QUEUE_FULL), never dropped.
 * I3  A row is told in the asking model's layout, by the names that the store gives with it.
 * I4  A question's fault is its own: what the store refuses in a row fails that question, and a batch that it refuses as a
 *     whole is halved until the question at fault is alone.
 * I5  Whoever goes gives their place back at once; a call whose askers have all gone is cancelled.
 * I6  A question about now waits for no promise: an honest sender makes none ahead of the clock. What a caller dates is
 *     waited for, so that the same is known whenever it is asked.
 */
import { FeatureStoreClient, isRetriable, type ReadOnlineReply } from '@driftloop/contracts';
import { Addresses, call, Places, type QueueState } from '@driftloop/service';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { errors } from './errors.js';
import type { Reading } from './online-batch.js';
import { OnlineBatch, type Question, type StoredRow, sizeOf, type Waiting } from './online-batch.js';
import type { ServedModel } from './served-models.js';

/** Questions that wait at most: of all callers, and of one. */
export const onlineLimit = 20_000;
const callerLimit = 5_000;

@Injectable()
export class OnlineStore implements OnApplicationShutdown {
  private client: FeatureStoreClient | undefined;
  private readonly batches = new Map<string, OnlineBatch>();
  private readonly places = new Places({ each: callerLimit, all: onlineLimit }, (limit) =>
    errors.QUEUE_FULL({ limit }),
  );

  /** Made at the first question: where the store listens is known only once it has started. */
  constructor(private readonly addresses: Addresses) {}

  get state(): QueueState {
    return this.places.state;
  }

  onApplicationShutdown(): void {
    this.client?.close();
  }

  /**
   * What the store knows of a question; live undefined where it is away or late. Throws QUEUE_FULL, QUESTION_REFUSED; in
   * a replay FEATURES_AWAY.
   */
  async read(model: ServedModel, question: Question, reading: Reading): Promise<StoredRow | undefined> {
    const { signal, caller, stamped, replay, patienceMs } = reading;
    signal.throwIfAborted();
    const leave = this.places.take(caller);
    const key = `${model.key}/${model.specRevision}/${replay}/${patienceMs}/${stamped ? caller : ''}`;
    try {
      return await new Promise<StoredRow | undefined>((resolve, reject) => {
        const waiting = { question, resolve, reject, signal };
        const batch = this.batchFor(key, model, reading, sizeOf(question));
        batch.add(waiting);
        if (batch.full) void this.send(key, batch);
      });
    } finally {
      leave();
    }
  }

  private batchFor(key: string, model: ServedModel, reading: Reading, bytes: number): OnlineBatch {
    const known = this.batches.get(key);
    if (known?.takes(bytes)) return known;
    if (known) void this.send(key, known);
    const batch = new OnlineBatch(model, reading);
    this.batches.set(key, batch);
    setImmediate(() => void this.send(key, batch));
    return batch;
  }

  private async send(key: string, batch: OnlineBatch): Promise<void> {
    if (batch.sent) return;
    batch.sent = true;
    if (this.batches.get(key) === batch) this.batches.delete(key);
    await this.answer(batch, batch.present);
  }

  /** I4 */
  private async answer(batch: OnlineBatch, waiting: readonly Waiting[]): Promise<void> {
    if (!waiting.length) return;
    try {
      const reply = await this.ask(batch, waiting);
      const rowOf = rowsInLayout(batch.model, reply);
      for (const [i, one] of waiting.entries()) settle(batch, one, reply, i, rowOf(i));
    } catch (error) {
      if (isRetriable(error) || !isRefusal(error) || waiting.length === 1)
        return refuse(batch, waiting, error as Error);
      const half = Math.ceil(waiting.length / 2);
      await Promise.all([waiting.slice(0, half), waiting.slice(half)].map((part) => this.answer(batch, part)));
    }
  }

  /** I6: half of the time that there is, so that the answer still arrives. */
  private async ask(batch: OnlineBatch, waiting: readonly Waiting[]): Promise<ReadOnlineReply> {
    this.client ??= this.addresses.client(FeatureStoreClient, 'feature-store');
    const questions = waiting.map(({ question }) => question);
    const { patienceMs } = batch;
    const request = { model: batch.model.model, questions, deadlineMs: batch.stamped ? Math.floor(patienceMs / 2) : 0 };
    const { signal, release } = batch.whileAnyWaits(waiting);
    return call(this.client, 'readOnline', request, { deadlineMs: patienceMs, signal }).finally(release);
  }
}

type Refusal = Error & { code: string; status?: string };

/** Something of the batch is at fault, not the way to the store. */
const isRefusal = (error: unknown): error is Refusal =>
  !['CALL_UNAVAILABLE', 'CALL_TIMED_OUT'].includes((error as Refusal).code) &&
  ['INVALID_ARGUMENT', 'OUT_OF_RANGE', 'RESOURCE_EXHAUSTED', 'INTERNAL'].includes((error as Refusal).status ?? '');

/** An older spec of the store's does not know all that this one's questions may say: it has not answered. */
function settle(
  { model, replay }: OnlineBatch,
  { resolve, reject }: Waiting,
  { rows, specRevision }: ReadOnlineReply,
  i: number,
  row: StoredRow | undefined,
): void {
  const refusal = rows[i]?.refusal;
  const behind = specRevision < model.specRevision;
  if (refusal && !behind) reject(errors.QUESTION_REFUSED(refusal));
  else if (replay && !row?.complete) reject(errors.FEATURES_AWAY({ reason: 'it has not read all of that time' }));
  else resolve(refusal ? undefined : row);
}

function refuse({ replay }: OnlineBatch, waiting: readonly Waiting[], error: Error): void {
  const [own] = waiting;
  const { code, status } = error as Refusal;
  const refused = waiting.length === 1 && status === 'INVALID_ARGUMENT' && code !== 'CALL_FAILED';
  if (refused) own.reject(errors.QUESTION_REFUSED({ code, reason: error.message }));
  const away = errors.FEATURES_AWAY({ reason: error.message });
  for (const { resolve, reject } of refused ? [] : waiting) replay ? reject(away) : resolve(undefined);
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
