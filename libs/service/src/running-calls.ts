/**
 * The calls that a door is answering. A caller may have gone while its call runs on: a door that closes waits for the
 * work, not for the answer, so that nothing asks a ground that is closed.
 */
import type { ServerResponse } from 'node:http';
import { setTimeout as pass } from 'node:timers/promises';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { finalize, type Observable } from 'rxjs';
import type { Log } from './log.js';

/** How long calls that run may take when a door closes, ms. */
export const longestGoodbyeMs = 5000;

export class RunningCalls {
  readonly #running = new Set<Promise<unknown>>();

  /** `work` must not reject. */
  add(work: Promise<unknown>): void {
    this.#running.add(work);
    void work.then(() => this.#running.delete(work));
  }

  /** Resolves when none runs, those included that came meanwhile on connections that are open; or after `longestMs`, which is logged. */
  async ended(log: Log, longestMs = longestGoodbyeMs): Promise<void> {
    const ending = new AbortController();
    const patience = pass(longestMs, true, { signal: ending.signal }).catch(() => true);
    let late = false;
    while (this.#running.size > 0 && !late)
      late = await Promise.race([Promise.all(this.#running).then(() => false), patience]);
    ending.abort();
    if (this.#running.size > 0) log.warn({ calls: this.#running.size }, 'stopped while calls were running');
  }
}

/** Follows the requests of an HTTP door. */
export class RunningRequests implements NestInterceptor {
  readonly #calls = new RunningCalls();
  readonly #responses = new Set<ServerResponse>();

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const response = context.switchToHttp().getResponse<ServerResponse>();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#calls.add(promise);
    this.#responses.add(response);
    const end = () => {
      this.#responses.delete(response);
      resolve();
    };
    // The answer is written after the handler, an error's by a filter: it is over when it is sent, or nobody is there.
    const answered = () => {
      if (response.writableFinished || response.closed) end();
      else response.once('finish', end).once('close', end);
    };
    return next.handle().pipe(finalize(answered));
  }

  /** Cuts streams, which have no end of their own, also those that only now begin to answer, and waits for the rest. */
  async ended(log: Log): Promise<void> {
    const cut = () => {
      for (const response of this.#responses) if (response.headersSent) response.destroy();
    };
    cut();
    const again = setInterval(cut, 100);
    await this.#calls.ended(log);
    clearInterval(again);
  }
}
