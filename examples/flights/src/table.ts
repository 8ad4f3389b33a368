/** Rows of a CSV file without quoted fields, gzipped or not. Node's own modules only. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export function* rows(file: URL | string): Generator<Record<string, string>> {
  const bytes = readFileSync(file);
  const text = String(file).endsWith('.gz') ? gunzipSync(bytes) : bytes;
  const [header, ...lines] = text.toString('utf8').trim().split('\n');
  const names = header.split(',');
  for (const line of lines) {
    const cells = line.split(',');
    yield Object.fromEntries(names.map((name, i) => [name, cells[i]]));
  }
}
