/** Errors over HTTP: a typed error keeps its code and message; anything else is told apart by an id in the log only. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { LoopError, type StatusName } from '@driftloop/contracts';
import { Log } from '@driftloop/service';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';

const httpStatus: Record<StatusName, number> = {
  INVALID_ARGUMENT: 400,
  OUT_OF_RANGE: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  FAILED_PRECONDITION: 412,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

@Catch()
export class Problems implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ServerResponse>();
    if (response.headersSent) {
      response.end();
      return;
    }
    const { status, body } = this.describe(error);
    response.writeHead(status, { 'content-type': 'application/problem+json', ...retryAfter(error) });
    response.end(JSON.stringify(body));
  }

  private describe(error: unknown): { status: number; body: object } {
    if (error instanceof LoopError) {
      const { code, message, retriable, details } = error;
      return { status: httpStatus[error.status], body: { code, message, retriable, details } };
    }
    if (error instanceof HttpException) {
      const status = error.getStatus();
      return { status, body: { code: `HTTP_${status}`, message: error.message, retriable: false } };
    }
    const id = randomUUID();
    this.log.error({ err: error, id }, 'unexpected error');
    return { status: 500, body: { code: 'INTERNAL', message: `internal error ${id}`, retriable: false } };
  }
}

/** When the same may be tried again, in whole seconds as HTTP has it. */
function retryAfter(error: unknown): { 'retry-after'?: string } {
  const ms = error instanceof LoopError && error.details.retryAfterMs;
  return typeof ms === 'number' ? { 'retry-after': String(Math.ceil(ms / 1000)) } : {};
}
