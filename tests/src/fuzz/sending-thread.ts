/** The thread that sends, as who watches has it: its faults, what it has in flight, its end. */
import { extname } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Findings } from './findings.js';
import type { Input } from './input.js';
import type { FromSending, Order, ToSending } from './sending.js';
import type { System } from './system.js';
import type { Counted } from './tally.js';

export interface AllSent {
  readonly inputs: number;
  readonly counted: Counted;
  /** Those that had no answer when the system had ended, or had answered nothing for `silenceMs`. */
  readonly open: readonly Input[];
}

const silenceMs = 60_000;

export class SendingThread {
  private readonly worker: Worker;
  private inputs = 0;
  private heardAt = performance.now();
  private readonly done = Promise.withResolvers<AllSent>();
  private looking: PromiseWithResolvers<readonly Input[]> | undefined;

  constructor(
    private readonly system: System,
    order: Order,
    private readonly findings: Findings,
  ) {
    const main = new URL(`./sending${extname(import.meta.url)}`, import.meta.url);
    this.worker = new Worker(main, { workerData: order });
    this.worker.on('message', (told: FromSending) => this.hear(told));
    this.worker.on('error', (error) => this.done.reject(error));
    this.worker.on('messageerror', (error) => this.done.reject(error));
    this.worker.on('exit', (code) => this.done.reject(new Error(`the thread that sends ended with ${code}`)));
    this.done.promise.catch(() => undefined);
  }

  /** Resolves when all is sent and answered, the time is over, or nothing is answered any more. */
  async sent(until: number): Promise<AllSent> {
    const watching = new AbortController();
    const cut = async (): Promise<AllSent> => {
      for (;;) {
        await pass(200, undefined, { signal: watching.signal });
        if (performance.now() > until) this.post({ kind: 'stop' });
        const silent = performance.now() - this.heardAt > silenceMs;
        if (!this.system.ended && !silent) continue;
        const open = await this.inFlight();
        this.post({ kind: 'stop' });
        return { inputs: this.inputs, counted: { fields: {}, statuses: {}, waits: {} }, open };
      }
    };
    try {
      return await Promise.race([this.done.promise, cut()]);
    } finally {
      watching.abort();
    }
  }

  /** Those that have no answer now. */
  inFlight(): Promise<readonly Input[]> {
    this.looking ??= Promise.withResolvers();
    this.post({ kind: 'look' });
    return Promise.race([this.looking.promise, pass(2000, [], { ref: false })]);
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private post(told: ToSending): void {
    this.worker.postMessage(told);
  }

  private hear(told: FromSending): void {
    switch (told.kind) {
      case 'progress':
        this.inputs = told.inputs;
        this.heardAt = performance.now();
        return;
      case 'fault':
        this.findings.add(told.fault.what, [told.fault.input], told.fault.answer);
        return;
      case 'publish': {
        const { id, event } = told;
        void this.system.publish({ ...event, id }).then(
          () => this.post({ kind: 'published', id }),
          (error: Error) => this.post({ kind: 'published', id, failed: error.message }),
        );
        return;
      }
      case 'in flight':
        this.looking?.resolve(told.inputs);
        this.looking = undefined;
        return;
      case 'done':
        this.done.resolve({ inputs: told.inputs, counted: told.counted, open: [] });
    }
  }
}
