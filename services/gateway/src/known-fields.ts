/**
 * The body and the query of a request, with the fields that its route reads and no others: one that is misspelt would be left out in
 * silence, and the command be another one than was meant.
 */
import type { IncomingMessage } from 'node:http';
import { advice } from '@driftloop/contracts';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { errors } from './errors.js';

type Read = IncomingMessage & { readonly body?: unknown; readonly query: unknown };

const bodyOf = createParamDecorator((fields: readonly string[], context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest<Read>();
  const sent = Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined;
  if (sent && !/^application\/([\w.+-]{1,60}\+)?json\b/i.test(request.headers['content-type'] ?? ''))
    throw invalid('must be JSON: send it with the header content-type: application/json');
  return known(request.body ?? {}, fields);
});

const queryOf = createParamDecorator((fields: readonly string[], context: ExecutionContext) =>
  known(context.switchToHttp().getRequest<Read>().query ?? {}, fields),
);

/** The JSON body of a command, an object of these fields. Throws BODY_INVALID. */
export const JsonBody = (...fields: string[]) => bodyOf(fields);

/** The query of a question, of these fields. Throws BODY_INVALID. */
export const KnownQuery = (...fields: string[]) => queryOf(fields);

function known(value: unknown, fields: readonly string[]): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('must be a JSON object');
  for (const field of Object.keys(value))
    if (!fields.includes(field)) {
      const problem = `is no field of this request; ${advice(field, fields)}`;
      throw errors.BODY_INVALID({ field: field.slice(0, 100), problem });
    }
  return value;
}

const invalid = (problem: string) => errors.BODY_INVALID({ field: '(body)', problem });
