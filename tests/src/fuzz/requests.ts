/** Inputs of the gateway's routes: names and fields that any of them takes, some of them changed; verbs, headers and bodies besides. */
import { gzipSync } from 'node:zlib';
import type { Random } from '@driftloop/algorithms';
import type { Making } from './calls.js';
import { word } from './generate.js';
import * as hostile from './hostile.js';
import type { Input, Request } from './input.js';
import { type Method } from './methods.js';
import type { Change } from './mutate.js';
import { headerText } from './wire.js';
import { wordsFor } from './words.js';
import { bystander, target } from './world.js';

/** Fields that JSON bodies and queries may have: those of every request message, as proto3 JSON spells them, and the routes' own. */
export function fieldNames(methods: readonly Method[]): string[] {
  const own = ['now', 'topics', 'after', 'eventTime', 'eventIds'];
  return [...new Set([...methods.flatMap(({ desc }) => desc.input.fields.map(({ jsonName }) => jsonName)), ...own])];
}

/** What replays may do to everybody's time, a fuzzer may not: it has no replay credential here. */
export function requestInput(
  number: number,
  route: string,
  fields: readonly string[],
  making: Making,
  random: Random,
): Input {
  const [verb, pattern] = route.split(' ');
  const refused = random.integer(20) === 0;
  const model = refused || (verb === 'GET' && random.integer(2)) ? bystander : target;
  const say = (name: string) => word(snake(name), random, wordsFor(model, making.known));
  const request: Mutable = {
    verb,
    path: pattern.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(say(name))),
    query: verb === 'GET' ? some(fields, random).map((name) => [name, say(name)]) : [],
    headers: { authorization: refused ? 'Bearer wrong' : `Bearer ${making.token}` },
    body:
      verb === 'GET'
        ? undefined
        : Object.fromEntries(some(fields, random).map((name) => [name, fieldOf(name, say, random)])),
  };
  const change = random.integer(10)
    ? changed(request, pattern, say, random)
    : { field: '', mutation: 'as it should be' };
  return { number, method: route, ...change, sent: sentOf(request, random) };
}

interface Mutable {
  verb: string;
  path: string;
  query: [string, string][];
  headers: Record<string, string>;
  body: Record<string, unknown> | string | Uint8Array | undefined;
}

/** A third of the fields: a body of all of them has always something wrong. */
const some = (fields: readonly string[], random: Random): string[] => fields.filter(() => random.integer(3) === 0);

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function fieldOf(name: string, say: (name: string) => string, random: Random): unknown {
  if (/^(force|held|paused|all)$/.test(name)) return random.integer(2) === 0;
  if (/^(limit|after|jitters|seed|history)$/.test(name)) return random.integer(50);
  if (/^(now|eventTime|watermark)$/.test(name)) return '2024-01-10T06:00:00Z';
  return name === 'eventIds' ? [say('event_id')] : say(name);
}

function changed(request: Mutable, pattern: string, say: (name: string) => string, random: Random): Change {
  const body = request.body as Record<string, unknown> | undefined;
  switch (random.integer(body ? 9 : 6)) {
    case 0: {
      const [, name = ''] = /:(\w+)/.exec(pattern) ?? [];
      const text = encoded(hostile.text(random), random);
      request.path = pattern
        .replace(`:${name}`, text)
        .replaceAll(/:(\w+)/g, (_, other: string) => encodeURIComponent(say(other)));
      if (!name) request.path += `/${text}`;
      return { field: `path.${name}`, mutation: 'a value at the edge' };
    }
    case 1: {
      const name = hostile.oneOf(random, [
        '__proto__',
        'limit',
        'after',
        'topics',
        'limit[]',
        'a[b][c]',
        'constructor[x]',
      ]);
      request.query.push([name, hostile.text(random)], ...(random.integer(3) ? [] : [[name, '1'] as [string, string]]));
      return { field: `query.${name}`, mutation: 'a value at the edge' };
    }
    case 2:
      request.verb = hostile.oneOf(random, [
        'GET',
        'POST',
        'PUT',
        'DELETE',
        'PATCH',
        'OPTIONS',
        'HEAD',
        'TRACE',
        'PROPFIND',
      ]);
      return { field: 'verb', mutation: request.verb };
    case 3:
    case 4:
      return changedHeader(request, random);
    case 5:
      request.path = hostile.oneOf(random, [
        `/${encoded(hostile.text(random), random)}`,
        `/${request.path}`,
        `${request.path}/`,
        `${request.path}%`,
        '*',
      ]);
      return { field: 'path', mutation: 'another path' };
    case 6:
      request.body = hostile.oneOf(random, [
        JSON.stringify(request.body).slice(0, random.integer(100)),
        JSON.stringify(hostile.json(random)),
        hostile.bytes(random),
        '['.repeat(hostile.sizeUpTo(random, 90_000)),
        `{"a":${'{"a":'.repeat(hostile.sizeUpTo(random, 10_000))}`,
        `"${'a.'.repeat(hostile.sizeUpTo(random, 60_000))}"`,
      ]);
      return { field: 'body', mutation: 'another body' };
    default: {
      const name = hostile.oneOf(random, [...Object.keys(body!), '__proto__', 'constructor']);
      Object.defineProperty(body, name, { value: hostile.json(random), enumerable: true, configurable: true });
      return { field: `body.${name}`, mutation: 'a value at the edge' };
    }
  }
}

const encoded = (text: string, random: Random): string =>
  random.integer(4)
    ? encodeURIComponent(text.toWellFormed()).slice(0, 12_000)
    : text
        .replaceAll(/[^\x21-\x7e]/g, '%')
        .replaceAll(/[#?]/g, '')
        .slice(0, 12_000);

function changedHeader(request: Mutable, random: Random): Change {
  const name = hostile.oneOf(random, [
    ...['authorization', 'host', 'origin', 'content-type', 'content-encoding', 'content-length', 'accept', 'cookie'],
    ...[
      'last-event-id',
      'transfer-encoding',
      'expect',
      'x-forwarded-for',
      'traceparent',
      'if-none-match',
      'range',
      'x-http-method-override',
    ],
  ]);
  const known: Record<string, string[]> = {
    authorization: ['Bearer', 'Basic x', '\xe9\xe8', `Bearer ${'\xff'.repeat(20)}`],
    host: ['evil.example', '', '127.0.0.1:99999', '[::1]', 'localhost.evil.example'],
    origin: ['null', 'file://', 'data:', 'http://', 'http://evil.example', 'https://127.0.0.1@evil.example'],
    'content-type': [
      'text/plain',
      'application/json; charset=utf-16',
      'application/x-www-form-urlencoded',
      'application/json; charset=x',
      '',
    ],
    'content-encoding': ['gzip', 'deflate', 'br', 'x', 'gzip, gzip'],
    'content-length': ['0', '1', '-1', '99999999999'],
    'transfer-encoding': ['chunked', 'gzip', 'x'],
    expect: ['100-continue', 'x'],
    'last-event-id': ['../..', '0', 'x'.repeat(4000)],
  };
  const value =
    random.integer(2) && known[name] ? hostile.oneOf(random, known[name]) : headerText(random).slice(0, 6000);
  request.headers[name] = value;
  if (name === 'content-encoding' && value === 'gzip' && request.body && random.integer(3))
    request.body = gzipSync(
      random.integer(3) ? JSON.stringify(request.body) : Buffer.alloc(2 ** random.integer(24), 'a'),
    );
  return { field: `header.${name}`, mutation: 'a value at the edge' };
}

function sentOf({ verb, path, query, headers, body }: Mutable, random: Random): Request {
  const text = query
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value.toWellFormed()).slice(0, 6000)}`)
    .join('&');
  const isJson = body !== undefined && !('content-type' in headers);
  const bytes =
    body === undefined
      ? undefined
      : body instanceof Uint8Array
        ? body
        : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return {
    door: 'http',
    verb,
    path: text ? `${path}${random.integer(20) ? '?' : '&'}${text}` : path,
    headers: { ...(isJson && { 'content-type': 'application/json' }), ...headers },
    body: bytes,
  };
}
