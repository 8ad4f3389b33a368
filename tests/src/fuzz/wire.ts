/** What can be wrong with a call below its message: its bytes, its frames, its headers, its end. */
import { gzipSync } from 'node:zlib';
import type { Random } from '@driftloop/algorithms';
import * as hostile from './hostile.js';
import type { Call } from './input.js';

/** A length-prefixed frame of gRPC. */
export function framed(message: Uint8Array, { compressed = false, length = message.length } = {}): Uint8Array {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt8(Number(compressed));
  frame.writeUInt32BE(length >>> 0, 1);
  frame.set(message, 5);
  return frame;
}

/** Bytes that are nearly those of a message. */
export function damaged(bytes: Uint8Array, random: Random): { bytes: Uint8Array; mutation: string } {
  switch (random.integer(6)) {
    case 0:
      return { bytes: bytes.subarray(0, random.integer(bytes.length + 1)), mutation: 'cut off' };
    case 1:
      return { bytes: flipped(bytes, random), mutation: 'bits turned' };
    case 2:
      return { bytes: hostile.noise(random, hostile.sizeUpTo(random, 300)), mutation: 'noise' };
    case 3: {
      const tag = hostile.oneOf(random, [0x0a, 0x12, 0x1a, 0x2a]);
      return { bytes: empties(tag, pairs(random)), mutation: 'empty fields' };
    }
    case 4:
      return { bytes: deep(random), mutation: 'deep nesting' };
    default:
      return {
        bytes: Buffer.concat([bytes, hostile.noise(random, 1 + random.integer(8))]),
        mutation: 'a tail of noise',
      };
  }
}

/** As many as 8 MB hold, once in a few hundred: that is what a decoder must not be led into. */
const pairs = (random: Random): number => hostile.sizeUpTo(random, random.integer(300) === 0 ? 4_000_000 : 20_000);

function flipped(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let left = 1 + random.integer(4); left > 0 && copy.length; left--)
    copy[random.integer(copy.length)] ^= 1 << random.integer(8);
  return copy;
}

const empties = (tag: number, count: number): Uint8Array => Buffer.alloc(count * 2, Buffer.from([tag, 0]));

/** Messages or groups in each other. */
function deep(random: Random): Uint8Array {
  const depth = hostile.sizeUpTo(random, 20_000);
  if (random.integer(2)) return Buffer.alloc(depth, random.integer(2) ? 0x0b : 0x13);
  let inner = Buffer.alloc(0);
  for (let i = 0; i < Math.min(depth, 1000); i++) inner = Buffer.concat([lengthOf(inner.length), inner]);
  return inner;
}

function lengthOf(length: number): Uint8Array {
  const low: number[] = [0x12];
  for (let left = length; ; left >>>= 7) {
    if (left < 128) return Uint8Array.from([...low, left]);
    low.push((left & 127) | 128);
  }
}

/** A call whose frames, headers or end are not what they should be. */
export function disturbed(call: Call, message: Uint8Array, random: Random): { call: Call; mutation: string } {
  const { headers } = call;
  const gzip = { ...headers, 'grpc-encoding': 'gzip' };
  const with_ = (mutation: string, change: Partial<Call>) => ({ call: { ...call, ...change }, mutation });
  switch (random.integer(12)) {
    case 0:
      return with_('gzipped', { headers: gzip, pieces: [framed(gzipSync(message), { compressed: true })] });
    case 1:
      return with_('gzip that is none', { headers: gzip, pieces: [framed(message, { compressed: true })] });
    case 2:
      return with_('compressed, not said how', { pieces: [framed(gzipSync(message), { compressed: true })] });
    case 3:
      return with_('gzipped empty fields', { headers: gzip, pieces: [bomb(random)] });
    case 4:
      return with_('a wrong length', {
        pieces: [framed(message, { length: hostile.oneOf(random, [0, 1, message.length + 1, 2 ** 31, 2 ** 32 - 1]) })],
      });
    case 5:
      return with_('no message', { pieces: [] });
    case 6:
      return with_('two messages', { pieces: [framed(message), framed(message)] });
    case 7:
      return with_('in pieces', { pieces: [...framed(message).subarray(0, 40)].map((byte) => Uint8Array.of(byte)) });
    case 8:
      return with_('reset at once', { end: 'reset' });
    case 9:
      return with_('left open', { end: 'left open' });
    case 10:
      return with_('an encoding that nobody knows', {
        headers: {
          ...headers,
          'grpc-encoding': hostile.oneOf(random, ['zstd', 'constructor', '', 'identity', 'deflate']),
        },
      });
    default:
      return disturbedHeaders(call, random);
  }
}

function disturbedHeaders(call: Call, random: Random): { call: Call; mutation: string } {
  const { authorization = '' } = call.headers;
  const changes: [string, Record<string, string>][] = [
    ['no credential', { authorization: '' }],
    ['another credential', { authorization: `Bearer ${headerText(random)}` }],
    ['a credential that is none', { authorization: headerText(random) }],
    ['two words after Bearer', { authorization: `${authorization} x` }],
    ['a trace of nowhere', { traceparent: headerText(random) }],
    ['binary that is none', { 'driftloop-error-bin': headerText(random) }],
    [
      'a strange deadline',
      { 'grpc-timeout': hostile.oneOf(random, ['0n', '-1S', '99999999H', 'x', '1', '000000001S']) },
    ],
    [
      'another content',
      { 'content-type': hostile.oneOf(random, ['text/html', 'application/grpc+json', 'application/grpc-web']) },
    ],
    ['a large header', { 'x-large': 'a.'.repeat(hostile.sizeUpTo(random, 6000)) }],
    ['many headers', Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-${i}`, headerText(random)]))],
  ];
  const [mutation, headers] = hostile.oneOf(random, changes);
  return { call: { ...call, headers: { ...call.headers, ...headers } }, mutation };
}

/** What a header can hold at all: visible characters and those above them. */
export const headerText = (random: Random): string =>
  Buffer.from(hostile.text(random).slice(0, 2000))
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e\x80-\xff]/g, '')
    .trim();

const bombs = new Map<number, Uint8Array>();

/** Empty fields, gzipped: 16 MB of them are 16 kB. */
function bomb(random: Random): Uint8Array {
  const power = random.integer(random.integer(100) === 0 ? 24 : 17);
  const kept = bombs.get(power) ?? framed(gzipSync(empties(0x12, 2 ** power / 2)), { compressed: true });
  bombs.set(power, kept);
  return kept;
}
