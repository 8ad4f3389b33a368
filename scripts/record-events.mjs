/**
 * Records real events for the tests of schema evolution, a file a topic, as CloudEvents in JSON:
 *
 *   node scripts/record-events.mjs VERSION LOG…   →   libs/contracts/recorded/VERSION/<topic>.json
 *
 * A LOG is the driftloop.sqlite of a home that has run, better ones first: of the walk (`DRIFTLOOP_HOME=/tmp/loop npm start --
 * --once --until 2013-03-15`), and, for what a short walk does not come to, of the specs' worlds, which are kept where
 * DRIFTLOOP_KEEP_LOGS names a folder: deploy/embedded's first (bad-candidate, failure-*, quarantine), whose services are all
 * real, then those of single services (monitoring's signals, silence and hold; labeling's and the feature store's inbound).
 *
 * Of each topic are kept, from the first log that has it: the event that says most, the first and the last; small ones where
 * there are any. Done once for each release, and never changed after.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { root } from './install.mjs';

const { events, structuredCloudEvent } = await import(pathToFileURL(join(root, 'libs/contracts/dist/index.js')));
/** Larger events are kept only where there are no others. */
const largest = 24 * 1024;

const [version, ...logs] = process.argv.slice(2);
if (!version || logs.length === 0) {
  console.error('usage: node scripts/record-events.mjs VERSION LOG…');
  process.exit(2);
}
const opened = logs.map((path) => new DatabaseSync(path, { readOnly: true }));
const folder = join(root, 'libs/contracts/recorded', version);
mkdirSync(folder, { recursive: true });
for (const event of Object.values(events)) {
  const { topic } = event;
  const found = opened.map((log) => told(log, event)).filter((events) => events.length);
  const kept = choose(found.find((events) => isSmall(events[0])) ?? found[0] ?? []);
  console.log(`${String(kept.length).padStart(2)}  ${topic}`);
  if (kept.length) writeFileSync(join(folder, `${topic}.json`), `${JSON.stringify(kept, null, 2)}\n`);
}

/** The events of a topic, small ones first; of what outsiders told, what was well-formed. */
function told(log, { topic, from, payload }) {
  const rows = log.prepare('SELECT * FROM bus_events WHERE topic = ? ORDER BY length(data), offset').all(topic);
  const all = rows.map(({ id, key, time, source, traceparent, data }) =>
    structuredCloudEvent({
      id,
      topic,
      key,
      time,
      source,
      traceparent: traceparent ?? undefined,
      data: JSON.parse(data),
    }),
  );
  return from === 'external' ? all.filter(({ data }) => isReadable(payload, data)) : all;
}

function isReadable(payload, data) {
  try {
    return payload.fromJSON(data) !== undefined;
  } catch {
    return false;
  }
}

function isSmall(event) {
  return JSON.stringify(event).length <= largest;
}

function choose(found) {
  const small = found.filter(isSmall);
  const from = small.length ? small : found.slice(0, 1);
  const richest = from.reduce((best, event) => (fields(event).size > fields(best).size ? event : best), from[0]);
  return [...new Set([richest, from[0], from.at(-1)])].filter((event) => event !== undefined);
}

/** Which fields an event has, as paths without indexes. */
function fields(value, path = '', found = new Set()) {
  if (value === null || typeof value !== 'object') return found.add(path);
  for (const [name, inner] of Object.entries(value))
    fields(inner, Array.isArray(value) ? path : `${path}.${name}`, found);
  return found;
}
