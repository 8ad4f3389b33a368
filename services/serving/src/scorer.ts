/**
 * Scores rows with several graphs at once, in a worker thread.
 *
 * I1  Rows that wait for the same graphs go together: one crossing into the thread a batch, and the next batch is made
 *     while one is scored.
 * I2  The queue is bounded: above the limit a request is refused (QUEUE_FULL), never dropped.
 * I3  What a row is scored with changes nothing in its answer, not the last bit.
 * I4  A graph that fails on a batch is run on each of its requests alone: one caller's rows fail nobody else's.
 * I5  A thread that dies is started again with the graphs that it held; what it was scoring fails.
 */
import type { QueueState } from '@driftloop/service';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { errors } from './errors.js';
import type { Graph, GraphScores } from './scoring.worker.js';
import { ScoringThread } from './scoring-thread.js';
import type { GraphSet } from './served-models.js';

/** One row to score, in the model's layout. */
export interface Row {
  readonly numbers: readonly number[];
  readonly texts: readonly string[];
}

/** What each graph of a set said on a request's rows. */
export class Scored {
  constructor(
    private readonly results: readonly GraphScores[],
    /** Where the request's rows begin in each graph's scores. */
    private readonly first: readonly number[],
  ) {}

  /** The probability that a graph gives a row; NaN where it gives none. */
  probability(graph: number, row: number): number {
    return this.results[graph].scores?.[this.first[graph] + row] ?? Number.NaN;
  }

  /** Why a graph gave no probability; '' where it did. */
  error(graph: number, row: number): string {
    const { error, scores } = this.results[graph];
    if (error) return error;
    const probability = scores?.[this.first[graph] + row];
    return Number.isFinite(probability) ? '' : `the probability is ${probability}`;
  }

  /** Wall ms that a graph took for the batch. */
  ms(graph: number): number {
    return this.results[graph].ms;
  }
}

interface Job {
  readonly graphs: GraphSet;
  readonly rows: readonly Row[];
  readonly resolve: (scored: Scored) => void;
  readonly reject: (error: unknown) => void;
}

/** Rows that wait at most. */
export const scorerLimit = 20_000;
const batchLimit = 512;
const batchesInFlight = 2;

@Injectable()
export class Scorer implements OnApplicationShutdown {
  private readonly thread = new ScoringThread();
  private readonly queue: Job[] = [];
  private waiting = 0;
  private refused = 0;
  private inFlight = 0;
  private scheduled = false;

  get state(): QueueState {
    return { depth: this.waiting, refused: this.refused };
  }

  /** Loads a graph; again is no work. Rejects with what is wrong with it. */
  async load(graph: Graph): Promise<void> {
    await this.thread.load(graph);
  }

  /** Drops every graph whose key is not wanted. */
  async keepOnly(wanted: (key: string) => boolean): Promise<void> {
    await this.thread.keepOnly(wanted);
  }

  holds(key: string): boolean {
    return this.thread.graphs.has(key);
  }

  /** Scores a request's rows with each graph of a set. Throws QUEUE_FULL (retriable). */
  score(graphs: GraphSet, rows: readonly Row[]): Promise<Scored> {
    if (this.waiting + rows.length > scorerLimit) {
      this.refused += rows.length;
      return Promise.reject(errors.QUEUE_FULL({ limit: scorerLimit }));
    }
    this.waiting += rows.length;
    return new Promise((resolve, reject) => {
      this.queue.push({ graphs, rows, resolve, reject });
      this.schedule();
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.thread.close();
  }

  /** I1: requests that arrive in the same turn of the event loop are seen together. */
  private schedule(): void {
    if (this.scheduled || this.inFlight >= batchesInFlight || !this.queue.length) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (this.queue.length) void this.send(this.takeBatch());
      this.schedule();
    });
  }

  private async send(batch: Job[]): Promise<void> {
    this.inFlight++;
    try {
      const results = await this.thread.score(batch[0].graphs.keys, columnsOf(batch));
      const failed = batch.length > 1 ? results.flatMap(({ error }, graph) => (error ? [graph] : [])) : [];
      let first = 0;
      for (const job of batch) {
        const scored = new Scored(
          results,
          results.map(() => first),
        );
        job.resolve(failed.length ? await this.alone(job, failed, results, first) : scored);
        first += job.rows.length;
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.inFlight--;
      this.schedule();
    }
  }

  /** I4 */
  private async alone(job: Job, failed: readonly number[], together: readonly GraphScores[], first: number) {
    const keys = failed.map((graph) => job.graphs.keys[graph]);
    const own = await this.thread.score(keys, columnsOf([job]));
    const results = together.map((scores, graph) => own[failed.indexOf(graph)] ?? scores);
    return new Scored(
      results,
      results.map((_, graph) => (failed.includes(graph) ? 0 : first)),
    );
  }

  /** The first requests of the queue that want the same graphs. */
  private takeBatch(): Job[] {
    const [{ graphs }] = this.queue;
    let rows = this.queue[0].rows.length;
    let n = 1;
    for (; n < this.queue.length && this.queue[n].graphs === graphs; n++) {
      if (rows + this.queue[n].rows.length > batchLimit) break;
      rows += this.queue[n].rows.length;
    }
    this.waiting -= rows;
    return this.queue.splice(0, n);
  }
}

/**
 * Batches are filled up to a multiple of this: the runtime computes the rest of a vector by another exp, which differs in
 * the last bit (I3).
 */
const vectorRows = 4;

/** A batch's rows as columns, one after the other, as the graphs take them. */
function columnsOf(batch: readonly Job[]) {
  const wanted = batch.reduce((sum, job) => sum + job.rows.length, 0);
  const rows = Math.ceil(wanted / vectorRows) * vectorRows;
  const filling = Array.from({ length: rows - wanted }, () => batch[0].rows[0]);
  const [{ numbers: firstNumbers, texts: firstTexts }] = batch[0].rows;
  const numbers = new Float64Array(rows * firstNumbers.length);
  const texts = new Array<string>(rows * firstTexts.length);
  let r = 0;
  for (const rowsOfOne of [...batch.map((job) => job.rows), filling])
    for (const row of rowsOfOne) {
      for (let c = 0; c < firstNumbers.length; c++) numbers[c * rows + r] = row.numbers[c];
      for (let c = 0; c < firstTexts.length; c++) texts[c * rows + r] = row.texts[c];
      r++;
    }
  return { rows, numbers, texts };
}
