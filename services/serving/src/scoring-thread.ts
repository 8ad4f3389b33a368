/** The scoring thread from outside: asked by message, started when first needed, started again when it dies. */
import { Worker } from 'node:worker_threads';
import { LoopError } from '@driftloop/contracts';
import { disableRuntimeTelemetry } from '@driftloop/onnx';
import type { Columns, Graph, GraphScores, ScoringReply, ScoringRequest } from './scoring.worker.js';

type Asked = { resolve: (reply: ScoringReply) => void; reject: (error: Error) => void };
type Request = ScoringRequest extends infer R ? (R extends unknown ? Omit<R, 'id'> : never) : never;

export class ScoringThread {
  /** The graphs that it holds. */
  readonly graphs = new Map<string, Graph>();
  private worker: Worker | undefined;
  private readonly asked = new Map<number, Asked>();
  private nextId = 1;
  private closed = false;

  constructor(private readonly program = new URL('./scoring.worker.js', import.meta.url)) {}

  async load(graph: Graph): Promise<void> {
    if (this.graphs.has(graph.key)) return;
    await this.ask({ kind: 'load', graph });
    this.graphs.set(graph.key, graph);
  }

  async keepOnly(wanted: (key: string) => boolean): Promise<void> {
    const unwanted = [...this.graphs.keys()].filter((key) => !wanted(key));
    for (const key of unwanted) this.graphs.delete(key);
    await Promise.all(unwanted.map((key) => this.ask({ kind: 'drop', key })));
  }

  /** The scores of each graph, in the order of `keys`. The columns' numbers are given away. */
  async score(keys: readonly string[], columns: Columns): Promise<readonly GraphScores[]> {
    const reply = await this.ask({ kind: 'score', keys, columns }, [columns.numbers.buffer as ArrayBuffer]);
    return reply.results!;
  }

  async close(): Promise<void> {
    this.closed = true;
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
    this.fail(new Error('the service is stopping'));
  }

  private ask(request: Request, transfer: ArrayBuffer[] = []): Promise<ScoringReply> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const worker = this.worker ?? this.start();
      this.asked.set(id, { resolve, reject });
      worker.postMessage({ ...request, id }, transfer);
    });
  }

  private start(): Worker {
    if (this.closed) throw new Error('the service is stopping');
    disableRuntimeTelemetry();
    const worker = new Worker(this.program);
    worker.on('message', (reply: ScoringReply) => this.answer(reply));
    worker.on('error', (error) => this.lose(worker, error));
    worker.on('exit', (code) => this.lose(worker, new Error(`the scoring thread ended with code ${code}`)));
    worker.unref();
    this.worker = worker;
    for (const graph of this.graphs.values())
      this.ask({ kind: 'load', graph }).catch(() => this.graphs.delete(graph.key));
    return worker;
  }

  private answer({ id, failure, results }: ScoringReply): void {
    const asked = this.asked.get(id);
    this.asked.delete(id);
    if (failure) asked?.reject(errorOf(failure));
    else asked?.resolve({ id, results });
  }

  private lose(worker: Worker, error: Error): void {
    if (this.worker !== worker || this.closed) return;
    this.worker = undefined;
    this.fail(error);
  }

  private fail(error: Error): void {
    const lost = [...this.asked.values()];
    this.asked.clear();
    for (const { reject } of lost) reject(error);
  }
}

function errorOf({ code, message }: NonNullable<ScoringReply['failure']>): Error {
  return code ? new LoopError('onnx', code, message, 'FAILED_PRECONDITION', false) : new Error(message);
}
