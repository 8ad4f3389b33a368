/** Values that programs stumble over, of every type that a field can have; and the sizes that they come in. */
import type { Random } from '@driftloop/algorithms';

/** One of some, evenly. */
export const oneOf = <T>(random: Random, of: readonly T[]): T => of[random.integer(of.length)];

/** Log-uniform from 1 to `most`: small ones as often as large ones. */
export const sizeUpTo = (random: Random, most: number): number =>
  Math.floor(Math.exp(random.uniform() * Math.log(most)));

/** Of strings, mostly small; what is said of longer ones (100 kB) is said once in a hundred. */
const longest = (random: Random): number => (random.integer(100) === 0 ? 100_000 : 4000);

const names = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'length', 'then', '$where'],
  ...['', ' ', '.', '..', '/', '\\', '%', '%00', '%2e%2e%2f', '*', '?', '[', '{}', 'null', 'undefined', 'NaN', '-0'],
  ...["'", '"', "';--", '`', '$ne', '{"$gt":""}', '<script>', '#{1+1}', '\0', '\n', '\r\n', '\t', '\u2028', '﻿'],
  ...['é', 'İ', 'ß', '𝒳', '👩‍👩‍👧', '\ud800', 'a\u0300'.repeat(40), '١٢٣', 'ａ', '‮abc'],
];

const times = [
  ...['0000-01-01T00:00:00Z', '1969-12-31T23:59:59Z', '9999-12-31T23:59:59.999Z', '-000001-01-01T00:00:00Z'],
  ...['+275760-09-13T00:00:00Z', '2024-02-30T00:00:00Z', '2024-01-01', '2024-01-01T00:00:00+99:99', 'now', '0'],
  ...['2024-01-10T12:00:00Z', '2024-01-10T12:00:00.123456789Z', '24:00', '1e400'],
];

const numbersAsText = ['0', '-1', '1e309', '-1e309', '9007199254740993', '0x10', '1_000', '٣', '1e-400', 'Infinity'];

const durations = ['0s', '-1d', '9'.repeat(400).concat('d'), '1e9d', '1y', 'd', '36500d', '999999999d', '0.5h', '1ms'];

const repeated = [
  'a',
  'a.',
  'a:',
  '(',
  '((',
  '[[',
  '{',
  ' ',
  '0',
  '9',
  '\\',
  '%',
  'é',
  '/..',
  'Bearer ',
  '=',
  ',',
  '"',
];

/** A text. */
export function text(random: Random): string {
  const kind = random.integer(10);
  if (kind < 4) return oneOf(random, names);
  if (kind < 5) return oneOf(random, times);
  if (kind < 6) return oneOf(random, numbersAsText);
  if (kind < 7) return oneOf(random, durations);
  const unit = oneOf(random, repeated);
  const count = sizeUpTo(random, longest(random) / unit.length);
  return unit.repeat(count) + (random.integer(2) ? '' : '!');
}

/** Bytes, which need be no text. */
export function bytes(random: Random): Uint8Array {
  if (random.integer(3) === 0) return Buffer.from(text(random));
  return noise(random, sizeUpTo(random, 400));
}

export function noise(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(256));
}

const int = [
  ...[0n, 1n, -1n, 2n, 127n, 128n, 255n, 1000n, 1001n, 10_000n, 65_536n],
  ...[2n ** 31n - 1n, 2n ** 31n, -(2n ** 31n), 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n],
  ...[2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n, -(2n ** 53n), 999_999_999n, 253_402_300_799n, -62_135_596_800n],
];
export const integer = (random: Random): bigint => oneOf(random, int);

const doubles = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 1, -1, 0.5, 2],
  ...[Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE, Number.EPSILON, 1e-320, 1e300],
  ...[2 ** 53, 2 ** 53 + 2, 2 ** 31, 2 ** 32, 3.4e38, 3.5e38, 1e15, -1e15, 8.64e15, 8.64e15 + 1],
];
export const double = (random: Random): number => oneOf(random, doubles);

/** Seconds of a time since 1970: the first and last of years 1, 1970, 9999, of what a Date holds, and beyond. */
const seconds = [
  ...[0n, -1n, 1n, -62_135_596_800n, -62_135_596_801n, 253_402_300_799n, 253_402_300_800n, 8_640_000_000_000n],
  ...[8_640_000_000_001n, -8_640_000_000_001n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, 1_704_067_200n, 4_102_444_800n],
];
export const second = (random: Random): bigint => oneOf(random, seconds);

/** A value of JSON that is not what was asked for. */
export function json(random: Random): unknown {
  switch (random.integer(9)) {
    case 0:
      return null;
    case 1:
      return random.integer(2) === 0;
    case 2:
      return double(random);
    case 3:
      return Number(integer(random));
    case 4:
      return [];
    case 5:
      return Array.from({ length: sizeUpTo(random, 2000) }, () => text(random).slice(0, 20));
    case 6:
      return JSON.parse(`{"${oneOf(random, ['__proto__', 'constructor', 'a', '$set', 'toJSON'])}":{"x":1}}`);
    case 7:
      return nested(sizeUpTo(random, 2000), random.integer(2) === 0);
    default:
      return text(random);
  }
}

/** Lists or objects in each other. */
function nested(depth: number, lists: boolean): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = lists ? [value] : { a: value };
  return value;
}
