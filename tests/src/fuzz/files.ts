/** Files for the feature store: CSV, gzipped or not, and Parquet, whole or with one thing wrong. */
import { gzipSync } from 'node:zlib';
import type { Random } from '@driftloop/algorithms';
import { FileDescription, IngestFileRequest } from '@driftloop/contracts';
import * as hostile from './hostile.js';
import type { Change } from './mutate.js';
import { facts } from './real.js';
import { damaged } from './wire.js';

/** The messages of an upload. `parquet` is a good file. */
export function upload(model: string, parquet: Uint8Array, random: Random): { messages: Uint8Array[] } & Change {
  const format = hostile.oneOf(random, ['csv', 'csv.gz', 'parquet']);
  const { bytes, ...change } = fileOf(format, parquet, random);
  const description = FileDescription.fromPartial({ model, source: 'traffic', format });
  const parts = [{ $case: 'description' as const, value: description }, ...chunksOf(bytes, random)];
  const messages = parts.map((part) => IngestFileRequest.encode(IngestFileRequest.fromPartial({ part })).finish());
  return { messages, ...change };
}

function chunksOf(bytes: Uint8Array, random: Random): { $case: 'chunk'; value: Buffer }[] {
  const size = Math.max(1, Math.ceil(bytes.length / (1 + random.integer(3))));
  const count = Math.ceil(bytes.length / size);
  const slice = (i: number) => Buffer.from(bytes.subarray(i * size, (i + 1) * size));
  return Array.from({ length: count }, (_, i) => ({ $case: 'chunk' as const, value: slice(i) }));
}

function fileOf(format: string, parquet: Uint8Array, random: Random): { bytes: Uint8Array } & Change {
  if (format === 'parquet') return inFile('parquet', damagedFile(parquet, random));
  const { text, field, mutation } = csv(random);
  if (format === 'csv') return { bytes: Buffer.from(text), field: `csv.${field}`, mutation };
  const zipped = gzipSync(text);
  if (random.integer(2)) return { bytes: zipped, field: `csv.gz.${field}`, mutation };
  if (random.integer(4) === 0)
    return { bytes: gzipSync(Buffer.alloc(2 ** random.integer(22), 'a,')), field: 'csv.gz', mutation: 'a bomb' };
  return inFile('csv.gz', damagedFile(zipped, random));
}

const inFile = (field: string, { bytes, mutation }: { bytes: Uint8Array; mutation: string }) => ({
  bytes,
  field,
  mutation,
});

/** Of a Parquet file the end says what is where: it is hit as often as all the rest. */
function damagedFile(bytes: Uint8Array, random: Random): { bytes: Uint8Array; mutation: string } {
  if (random.integer(2)) return damaged(bytes, random);
  const copy = Uint8Array.from(bytes);
  const from = Math.max(0, copy.length - 400);
  for (let left = 1 + random.integer(4); left > 0; left--)
    copy[from + random.integer(copy.length - from)] = random.integer(256);
  return { bytes: copy, mutation: 'its end written over' };
}

const columns = ['entity_id', 'event_time', 'known_at', 'jam'];

/** A table as text, one place of it changed. */
function csv(random: Random): { text: string } & Change {
  const names = [...columns];
  const rows = Array.from({ length: 1 + random.integer(4) }, () => {
    const { fact } = hostile.oneOf(random, facts());
    return [fact.entityId, fact.eventTime.toISOString(), fact.knownAt.toISOString(), String(fact.values.jam ?? 0.5)];
  });
  const row = hostile.oneOf(random, rows);
  const at = random.integer(names.length);
  const field = names[at];
  const text = () => [names, ...rows].map((cells) => cells.join(',')).join('\n');
  switch (random.integer(8)) {
    case 0:
      return { text: text(), field: '', mutation: 'as it should be' };
    case 1:
      names[at] = hostile.text(random);
      return { text: text(), field, mutation: 'another heading' };
    case 2:
      names.push(hostile.oneOf(random, ['__proto__', 'constructor', names[at], '']));
      return { text: text(), field: '', mutation: 'a heading more' };
    case 3:
      row.splice(at, 1);
      return { text: text(), field, mutation: 'a cell less' };
    case 4:
      row.push(...row);
      return { text: text(), field, mutation: 'cells more' };
    case 5:
      row[at] = `"${row[at]}`;
      return { text: text(), field, mutation: 'a quote that is not closed' };
    case 6:
      return { text: damagedText(text(), random), field: '', mutation: 'text turned' };
    default:
      row[at] = hostile.text(random);
      return { text: text(), field, mutation: 'a cell at the edge' };
  }
}

function damagedText(text: string, random: Random): string {
  const strange = hostile.oneOf(random, ['\0', '\r', '﻿', '\n\n', ',', '"', ';', '\t', '\u2028']);
  const at = random.integer(text.length);
  return text.slice(0, at) + strange.repeat(1 + random.integer(20)) + text.slice(at);
}
