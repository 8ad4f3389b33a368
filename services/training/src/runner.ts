/**
 * The worker loop: one job at a time in this process, each under a lease that a heartbeat renews.
 *
 * I1  A heartbeat that finds the lease lost ends the thread; nothing more is written for that job here.
 * I2  A failure that may pass gives the job back with a backoff; any other one ends it with its reason. For a dependency
 *     that is away (a full disk too) it waits without end: how long that takes is wall time, which decides nothing.
 * I3  Stopping gives the job back at once.
 */
import { randomUUID } from 'node:crypto';
import { BadInput } from '@driftloop/algorithms';
import { LoopError, shortened } from '@driftloop/contracts';
import { Log, Settings } from '@driftloop/service';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { errors, type Failure } from './errors.js';
import { JobTimes } from './job-times.js';
import { Jobs, LeaseLost } from './jobs.js';
import type { JobDocument } from './training.documents.js';
import { TrainingMetrics } from './training.metrics.js';
import { TrainingRun } from './training-run.js';

const STOPPING = Symbol('stopping');

@Injectable()
export class Runner implements OnApplicationBootstrap, OnModuleDestroy {
  readonly owner = randomUUID();
  readonly #stop = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #wake: () => void = () => {};

  constructor(
    private readonly jobs: Jobs,
    private readonly run: TrainingRun,
    private readonly times: JobTimes,
    private readonly settings: Settings,
    private readonly log: Log,
    private readonly metrics: TrainingMetrics,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.jobs.onQueued = () => this.#wake();
    // The embedded home is locked: whoever held a lease there is dead, and nobody need wait for it to run out.
    if (this.settings.mode === 'embedded') await this.jobs.endLeases();
    this.#loop = this.loop();
  }

  async onModuleDestroy(): Promise<void> {
    this.#stop.abort(STOPPING);
    this.#wake();
    await this.#loop;
  }

  private async loop(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const idle = this.woken();
      try {
        const job = await this.jobs.claim(this.owner);
        if (job) await this.work(job);
        else await idle;
      } catch (error) {
        this.log.warn({ err: error }, 'the job loop could not go on; it tries again');
        await idle;
      }
    }
  }

  /** Resolves when a job is queued, or after the poll. Made before the claim, so that no wake is missed. */
  private woken(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.times.pollMs);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Works on a claimed job until it has ended or been given back. */
  private async work(job: JobDocument): Promise<void> {
    if (job.losses > this.times.losses) {
      const { code, message } = errors.ATTEMPTS_EXHAUSTED({ attempts: job.losses, last: 'its process died' });
      return this.jobs.fail(job, { code, reason: message });
    }
    const started = performance.now();
    const lost = new AbortController();
    const beat = setInterval(() => {
      this.jobs.renew(job).catch((error) => error instanceof LeaseLost && lost.abort(error));
    }, this.times.heartbeatMs);
    try {
      const trained = await this.run.train(job, AbortSignal.any([this.#stop.signal, lost.signal]));
      const seconds = (performance.now() - started) / 1000;
      await this.jobs.finish(job, trained, seconds);
      this.metrics.ended(job, seconds);
      this.log.info({ job: job._id, cycle: job.cycleId, seconds }, 'trained');
    } catch (error) {
      if (error !== STOPPING) this.metrics.ended(job, (performance.now() - started) / 1000, error);
      await this.failed(job, error);
    } finally {
      clearInterval(beat);
    }
  }

  private limitOf({ code, status }: LoopError): number {
    if (code === 'WORKER_CRASHED') return this.times.crashes;
    return status === 'UNAVAILABLE' ? Number.POSITIVE_INFINITY : this.times.retries;
  }

  private async failed(job: JobDocument, error: unknown): Promise<void> {
    if (error instanceof LeaseLost) return this.log.warn({ job: job._id }, error.message);
    try {
      if (error === STOPPING) return await this.jobs.release(job);
      const failure = failureOf(error);
      this.log.warn({ job: job._id, cycle: job.cycleId, code: failure.code, err: error }, failure.reason);
      if (!(error instanceof LoopError && error.retriable)) return await this.jobs.fail(job, failure);
      await this.jobs.retry(job, failure, this.limitOf(error));
    } catch (second) {
      if (!(second instanceof LeaseLost)) throw second;
    }
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof LoopError || error instanceof BadInput)
    return { code: error.code, reason: shortened(error.message) };
  const { code, message } = errors.INTERNAL_FAULT({ where: 'the training' });
  return { code, reason: message };
}
