/** Inputs of topics that outsiders write: the JSON of a payload that might be real, with one place of it changed. */
import { type DescMessage, fromBinary, toJson } from '@bufbuild/protobuf';
import type { Random } from '@driftloop/algorithms';
import { filledBytes } from './generate.js';
import * as hostile from './hostile.js';
import type { Input } from './input.js';
import { type Known, wordsFor } from './words.js';
import { target } from './world.js';

export function publicationInput(
  number: number,
  { topic, message }: { topic: string; message: DescMessage },
  known: Known,
  random: Random,
): Input {
  const bytes = filledBytes(message, { random, words: wordsFor(target, known) });
  const data = jsonOf(message, bytes);
  const { field, mutation, data: sent } = changed(data, random);
  const key = random.integer(10) ? target : hostile.text(random).slice(0, 1000);
  return { number, method: topic, field, mutation, sent: { door: 'bus', topic, key, data: JSON.stringify(sent) } };
}

/** What has no JSON (a NaN has, a time beyond the calendar has not) is left to the doors of bytes. */
function jsonOf(message: DescMessage, bytes: Uint8Array): unknown {
  try {
    return toJson(message, fromBinary(message, bytes));
  } catch {
    return {};
  }
}

function changed(data: unknown, random: Random): { field: string; mutation: string; data: unknown } {
  if (random.integer(10) === 0) return { field: '', mutation: 'as it should be', data };
  const places = [...placesIn(data)];
  if (!places.length || random.integer(20) === 0)
    return { field: '', mutation: 'another payload', data: hostile.json(random) };
  const { path, within, key } = hostile.oneOf(random, places);
  switch (random.integer(4)) {
    case 0:
      delete within[key];
      return { field: path, mutation: 'left out', data };
    case 1: {
      const value = within[key];
      within[key] = Array.from({ length: hostile.sizeUpTo(random, 2000) }, () => value);
      return { field: path, mutation: 'many of it', data };
    }
    default:
      Object.defineProperty(within, key, {
        value: hostile.json(random),
        enumerable: true,
        configurable: true,
        writable: true,
      });
      return { field: path, mutation: 'a value at the edge', data };
  }
}

function* placesIn(
  node: unknown,
  path = '',
): Generator<{ path: string; within: Record<string, unknown>; key: string }> {
  if (typeof node !== 'object' || node === null) return;
  const within = node as Record<string, unknown>;
  for (const key of Object.keys(within)) {
    const own = Array.isArray(node) ? `${path}[]` : `${path}${path && '.'}${key}`;
    yield { path: own, within, key };
    yield* placesIn(within[key], own);
  }
}
