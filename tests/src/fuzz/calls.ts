/** Inputs of RPCs: a request that might be real, with one or a few things changed, in its message, its bytes, its frames or its headers. */
import type { Random } from '@driftloop/algorithms';
import { upload } from './files.js';
import { filled } from './generate.js';
import { oneOf } from './hostile.js';
import type { Call, Input } from './input.js';
import { encoded, type Message, parsed } from './message.js';
import type { Method } from './methods.js';
import { type Change, mutate } from './mutate.js';
import { realRequest } from './real.js';
import { damaged, disturbed, framed } from './wire.js';
import { type Known, wordsFor } from './words.js';
import { bystander, target } from './world.js';

/** What calls are made of. */
export interface Making {
  readonly known: Known;
  readonly token: string;
  readonly replayToken: string;
  /** A good file of rows. */
  readonly parquet: Uint8Array;
}

/** Files are many messages that fit together. */
const uploads = '/driftloop.v1.FeatureStore/IngestFile';

/** An input of a method. */
export function callInput(number: number, method: Method, making: Making, random: Random): Input {
  // Who is refused may name anybody: nothing comes of it.
  const refused = random.integer(20) === 0;
  const model = refused || (method.reads && random.integer(2)) ? bystander : target;
  const { messages, field, mutation } = messagesOf(method, model, making, random);
  const headers = { ':path': method.path, authorization: refused ? wrong(random) : right(making, random) };
  const pieces = messages.map((message) => framed(message));
  const streams = /^(server|bidi)/.test(method.desc.methodKind);
  const call: Call = { door: 'grpc', service: method.service, headers, pieces, end: 'ended', streams };
  const input = { number, method: `${method.service}${method.path}`, field, mutation, sent: call };
  // Of reads alone: one that a server takes for whole is done, whatever was meant.
  if (random.integer(10) > 0) return refused ? { ...input, mutation: `${mutation}, no credential` } : input;
  const { call: sent, mutation: how } = disturbed(call, messages[0] ?? new Uint8Array(), random);
  return { ...input, sent, mutation: how };
}

const right = ({ token, replayToken }: Making, random: Random): string =>
  `Bearer ${random.integer(4) ? replayToken : token}`;

const wrong = (random: Random): string => oneOf(random, ['', 'Bearer wrong', 'Basic d3Jvbmc6d3Jvbmc=', 'Bearer', 'x']);

function messagesOf(
  method: Method,
  model: string,
  making: Making,
  random: Random,
): { messages: Uint8Array[] } & Change {
  if (method.path === uploads && random.integer(3)) return upload(model, making.parquet, random);
  const { bytes, ...change } = messageOf(method, model, making, random);
  const streams = method.desc.methodKind === 'client_streaming' || method.desc.methodKind === 'bidi_streaming';
  if (!streams) return { messages: [bytes], ...change };
  const others = Array.from({ length: random.integer(4) }, () => encoded(base(method, model, making, random)));
  others.splice(random.integer(others.length + 1), 0, bytes);
  return { messages: others, ...change };
}

function messageOf(method: Method, model: string, making: Making, random: Random): { bytes: Uint8Array } & Change {
  const message = base(method, model, making, random);
  const kind = random.integer(10);
  if (kind === 0) return { bytes: encoded(message), field: '', mutation: 'as it should be' };
  if (kind === 1) return { field: '', ...damaged(encoded(message), random) };
  let change = mutate(message, random);
  // A few at once reach what one alone is stopped before; the last one names the input.
  while (random.integer(4) === 0) change = mutate(message, random);
  return { bytes: encoded(message), ...change };
}

function base(method: Method, model: string, { known }: Making, random: Random): Message {
  const { input } = method.desc;
  const real = random.integer(3) ? realRequest(method.path, random, model) : undefined;
  return real ? parsed(input, real) : filled(input, { random, words: wordsFor(model, known) });
}
