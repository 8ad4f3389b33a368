/**
 * Scores rows with several graphs at once, in a worker thread.
 *
 * I1  Rows that wait for the same graphs go together: one crossing into the worker a batch.
 * I2  The queue is bounded: above the limit a row is refused (QUEUE_FULL), never dropped.
 * I3  A worker that dies is started again with the graphs that it held; what it was scoring fails.
 */
import { Worker } from 'node:worker_threads';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { errors } from './errors.js';
import type { GraphScores, ScoringReply, ScoringRequest } from './scoring.worker.js';

/** A graph to load: a key (its hash), its bytes in a file, and its columns in the order of the rows. */
export interface Graph {
  readonly key: string;
  readonly path: string;
  readonly numbers: string[];
  readonly texts: string[];
}

/** One graph's word on one row. */
export interface Score {
  readonly probability?: number;
  readonly error?: string;
  readonly ms: number;
}

interface Row {
  keys: string[];
  numbers: readonly number[];
  texts: readonly string[];
  resolve: (scores: Score[]) => void;
  reject: (error: unknown) => void;
}

const queueLimit = 20_000;
const batchLimit = 512;

type Asked = { resolve: (reply: ScoringReply) => void; reject: (error: Error) => void };
type Request = ScoringRequest extends infer R ? (R extends unknown ? Omit<R, 'id'> : never) : never;

@Injectable()
export class Scorer implements OnApplicationShutdown {
  private worker: Worker | undefined;
  private readonly graphs = new Map<string, Graph>();
  private readonly asked = new Map<number, Asked>();
  private readonly queue: Row[] = [];
  private nextId = 1;
  private busy = false;
  private closed = false;

  /** Loads a graph; again is no work. Rejects with the runtime's message where it is no graph. */
  async load(graph: Graph): Promise<void> {
    if (this.graphs.has(graph.key)) return;
    await this.ask({ kind: 'load', ...graph });
    this.graphs.set(graph.key, graph);
  }

  /** Drops every graph but these. */
  async keepOnly(keys: ReadonlySet<string>): Promise<void> {
    for (const key of [...this.graphs.keys()].filter((k) => !keys.has(k))) {
      this.graphs.delete(key);
      await this.ask({ kind: 'drop', key });
    }
  }

  holds(key: string): boolean {
    return this.graphs.has(key);
  }

  /** Scores one row with each graph, in the order of `keys`. Throws QUEUE_FULL (retriable). */
  score(keys: string[], numbers: readonly number[], texts: readonly string[]): Promise<Score[]> {
    if (this.queue.length >= queueLimit) return Promise.reject(errors.QUEUE_FULL({ limit: queueLimit }));
    return new Promise((resolve, reject) => {
      this.queue.push({ keys, numbers, texts, resolve, reject });
      if (!this.busy) {
        this.busy = true;
        setImmediate(() => void this.drain());
      }
    });
  }

  async onApplicationShutdown(): Promise<void> {
    this.closed = true;
    await this.worker?.terminate();
  }

  private async drain(): Promise<void> {
    while (this.queue.length) {
      const batch = this.takeBatch();
      try {
        const reply = await this.ask(toRequest(batch));
        for (const [r, row] of batch.entries()) row.resolve(reply.results!.map((graph) => scoreOf(graph, r)));
      } catch (error) {
        for (const row of batch) row.reject(error);
      }
    }
    this.busy = false;
  }

  /** The first rows of the queue that want the same graphs. */
  private takeBatch(): Row[] {
    const wanted = this.queue[0].keys.join();
    let n = 1;
    while (n < this.queue.length && n < batchLimit && this.queue[n].keys.join() === wanted) n++;
    return this.queue.splice(0, n);
  }

  private ask(request: Request): Promise<ScoringReply> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      this.start().postMessage({ ...request, id });
    });
  }

  private start(): Worker {
    if (this.worker) return this.worker;
    const worker = new Worker(new URL('../dist/scoring.worker.js', import.meta.url));
    worker.on('message', (reply: ScoringReply) => this.answer(reply));
    worker.on('error', (error) => this.lose(worker, error));
    worker.on('exit', (code) => this.lose(worker, new Error(`the scoring thread ended with code ${code}`)));
    worker.unref();
    this.worker = worker;
    for (const graph of this.graphs.values()) worker.postMessage({ id: 0, kind: 'load', ...graph });
    return worker;
  }

  private answer(reply: ScoringReply): void {
    const asked = this.asked.get(reply.id);
    this.asked.delete(reply.id);
    if (reply.error) asked?.reject(new Error(reply.error));
    else asked?.resolve(reply);
  }

  /** I3 */
  private lose(worker: Worker, error: Error): void {
    if (this.worker !== worker || this.closed) return;
    this.worker = undefined;
    for (const { reject } of this.asked.values()) reject(error);
    this.asked.clear();
  }
}

function toRequest(batch: Row[]): Request {
  const width = batch[0].numbers.length;
  const numbers = new Float64Array(batch.length * width);
  for (const [r, row] of batch.entries()) numbers.set(row.numbers as number[], r * width);
  return { kind: 'score', keys: batch[0].keys, rows: batch.length, numbers, texts: batch.flatMap((row) => row.texts) };
}

function scoreOf({ scores, error, ms }: GraphScores, row: number): Score {
  if (error || !scores) return { error: error ?? 'no scores', ms };
  const probability = scores[row];
  return Number.isFinite(probability) ? { probability, ms } : { error: `the probability is ${probability}`, ms };
}
