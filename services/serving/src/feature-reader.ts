/**
 * Features of questions: from the request where it sends them, else from the feature store, as of the question's time.
 *
 * Questions that arrive together are read together. A store that is away or late costs accuracy, never the answer: the
 * missing features are imputed in the graph and flagged; in a replay they are waited for, and an absent store is an error.
 */
import { type FeatureQuestion, type FeatureRow, FeatureStoreClient, type Value } from '@driftloop/contracts';
import { Addresses, call } from '@driftloop/service';
import { Metadata } from '@grpc/grpc-js';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { errors } from './errors.js';
import type { Questions } from './question.js';
import type { ServedModel } from './served-models.js';

/** One row of features in the model's layout. */
export interface Features {
  numbers: number[];
  texts: string[];
  /** Neither in the request nor in the store in time: imputed in the graph. */
  imputed: string[];
  entityTime: number | undefined;
}

interface Waiting {
  question: FeatureQuestion;
  resolve: (row: FeatureRow | undefined) => void;
  reject: (error: unknown) => void;
}

interface Batch {
  waiting: Waiting[];
  replay: boolean;
}

/** Wall milliseconds that a live question, and a replayed one, waits for the store. */
const liveDeadlineMs = 50;
const replayDeadlineMs = 60_000;
const largestBatch = 200;

@Injectable()
export class FeatureReader implements OnApplicationShutdown {
  private readonly store: FeatureStoreClient;
  private readonly batches = new Map<string, Batch>();

  constructor(addresses: Addresses) {
    this.store = addresses.client(FeatureStoreClient, 'feature-store');
  }

  onApplicationShutdown(): void {
    this.store.close();
  }

  /** The features of a request's questions. Throws UNKNOWN_ENTITY; in a replay FEATURES_AWAY (retriable). */
  async read(model: ServedModel, questions: Questions, time: number, replay: boolean): Promise<Features[]> {
    const complete = model.columns.every(({ name }) => questions.features.has(name));
    const rows = await Promise.all(
      questions.entities.map((entityId, i) => {
        if (complete) return undefined;
        return this.ask(model, { entityId, eventTime: new Date(time), inputs: questions.inputs[i] }, replay);
      }),
    );
    return rows.map((row, i) => assemble(model, questions, i, row, complete));
  }

  private ask(model: ServedModel, question: FeatureQuestion, replay: boolean): Promise<FeatureRow | undefined> {
    const key = `${model.tenant}/${model.model}/${replay}`;
    return new Promise((resolve, reject) => {
      let batch = this.batches.get(key);
      if (!batch) {
        batch = { waiting: [], replay };
        this.batches.set(key, batch);
        setImmediate(() => this.send(key, model));
      }
      batch.waiting.push({ question, resolve, reject });
      if (batch.waiting.length >= largestBatch) this.send(key, model);
    });
  }

  private async send(key: string, model: ServedModel): Promise<void> {
    const batch = this.batches.get(key);
    if (!batch) return;
    this.batches.delete(key);
    const { waiting, replay } = batch;
    const deadlineMs = replay ? replayDeadlineMs : liveDeadlineMs;
    const request = { model: model.model, questions: waiting.map((w) => w.question), deadlineMs };
    try {
      const reply = await call(this.store, 'readOnline', request, {
        metadata: new Metadata(),
        deadlineMs: deadlineMs * 2,
      });
      for (const [i, { resolve }] of waiting.entries()) resolve(reply.rows[i]);
    } catch (error) {
      const reason = (error as Error).message;
      for (const { resolve, reject } of waiting) replay ? reject(errors.FEATURES_AWAY({ reason })) : resolve(undefined);
    }
  }
}

/** One row in the model's layout: what the caller sent goes before what the store knows. */
function assemble(
  model: ServedModel,
  questions: Questions,
  row: number,
  stored: FeatureRow | undefined,
  complete: boolean,
): Features {
  const own = Object.keys(model.spec.spec.request.inputs);
  if (stored?.unknownEntity) throw errors.UNKNOWN_ENTITY({ entity: questions.entities[row], inputs: own });
  const sent = (name: string) => questions.features.get(name)?.values[row];
  const numbers = model.layout.numbers.map((name, i) => (sent(name) as number) ?? stored?.numbers[i] ?? Number.NaN);
  const texts = model.layout.texts.map((name, i) => (sent(name) as string) ?? stored?.texts[i] ?? '');
  const absent = stored || complete ? (stored?.missing ?? []) : model.columns.map((c) => c.name);
  const imputed = absent.filter((name) => sent(name) === undefined);
  const entityTime = stored?.entityTime ?? timeOf(questions.inputs[row][model.spec.spec.entity.time]);
  return { numbers, texts, imputed, entityTime: entityTime?.getTime() };
}

function timeOf(value: Value | undefined): Date | undefined {
  return value?.kind?.$case === 'time' ? value.kind.value : undefined;
}
