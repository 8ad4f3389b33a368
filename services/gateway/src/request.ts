/** Reading an HTTP request: fields of a JSON body, and the credential that is passed on. */
import type { IncomingMessage } from 'node:http';
import { longText, mostTexts, own, readTime } from '@driftloop/contracts';
import { Metadata } from '@grpc/grpc-js';
import { errors } from './errors.js';

/** Where a request comes from, as gRPC says of a peer. */
export const connectionOf = ({ socket }: IncomingMessage): string => `${socket.remoteAddress}:${socket.remotePort}`;

/** Options of an upstream call: the caller's own credential and name of the request, and a deadline. */
export function forwarded(headers: Record<string, string | undefined>): { metadata: Metadata; deadlineMs: number } {
  const metadata = new Metadata();
  if (headers.authorization) metadata.set('authorization', headers.authorization);
  const requestId = headers['x-request-id'];
  if (requestId && /^[\x21-\x7e]{1,128}$/.test(requestId)) metadata.set('x-request-id', requestId);
  return { metadata, deadlineMs: 30_000 };
}

const fieldOf = (body: unknown, field: string): unknown =>
  body && typeof body === 'object' ? own(body as Record<string, unknown>, field) : undefined;

/** A text field that must be there. Throws BODY_INVALID. */
export function requiredText(body: unknown, field: string): string {
  const value = fieldOf(body, field);
  if (typeof value === 'string' && value) return bounded(field, value);
  throw errors.BODY_INVALID({ field, problem: 'must be a text that is not empty, in a JSON body' });
}

/** Throws BODY_INVALID. */
function bounded(field: string, value: string): string {
  const long = longText(field, value);
  if (long)
    throw errors.BODY_INVALID({
      field,
      problem: `is ${long.length} characters long; send at most ${long.limit} characters`,
    });
  return value;
}

/** A text field, or "" where it is left out. Throws BODY_INVALID. */
export function optionalText(body: unknown, field: string): string {
  return fieldOf(body, field) ? requiredText(body, field) : '';
}

/** An RFC 3339 time that must be there. Throws BODY_INVALID. */
export function requiredTime(body: unknown, field: string): Date {
  const time = readTime(requiredText(body, field));
  if ('ms' in time) return new Date(time.ms);
  const problem = `must be a time between 1900 and 2200, such as 2013-02-14T10:00:00Z, and is ${time.problem}`;
  throw errors.BODY_INVALID({ field, problem });
}

/** An RFC 3339 time, or undefined where it is left out. Throws BODY_INVALID. */
export function optionalTime(body: unknown, field: string): Date | undefined {
  return fieldOf(body, field) ? requiredTime(body, field) : undefined;
}

/** A whole number of a JSON body, or 0 where it is left out. Throws BODY_INVALID. */
export function optionalCount(body: unknown, field: string): number {
  return counted(fieldOf(body, field) ?? 0, field);
}

/** A whole number of a query string, or 0 where it is left out. Throws BODY_INVALID. */
export function wholeNumber(query: Record<string, unknown>, field: string): number {
  const text = own(query, field) ?? '0';
  return counted(typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : Number.NaN, field);
}

/** How many a caller wants to see: `usual` where it does not say, never more than `most`. Throws BODY_INVALID. */
export function limitOf(query: Record<string, unknown>, { usual, most }: { usual: number; most: number }): number {
  return Math.min(wholeNumber(query, 'limit') || usual, most);
}

/** Fits the messages' int32. */
const largest = 999_999_999;

function counted(value: unknown, field: string): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= largest) return value as number;
  throw errors.BODY_INVALID({ field, problem: `must be a whole number from 0 to ${largest}` });
}

/** A list of texts, or none where it is left out. Throws BODY_INVALID. */
export function textList(body: unknown, field: string): string[] {
  const value = fieldOf(body, field) ?? [];
  if (Array.isArray(value) && value.length <= mostTexts && value.every((text) => typeof text === 'string' && text))
    return value.map((text: string) => bounded(field, text));
  throw errors.BODY_INVALID({ field, problem: `must be a list of at most ${mostTexts} texts` });
}

/** Whether a field is true; false where it is left out. Throws BODY_INVALID. */
export function flag(body: unknown, field: string): boolean {
  const value = fieldOf(body, field) ?? false;
  if (typeof value === 'boolean') return value;
  throw errors.BODY_INVALID({ field, problem: 'must be true or false' });
}
