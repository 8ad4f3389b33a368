/**
 * Records real events for the tests of schema evolution, a file a topic, as CloudEvents in JSON:
 *
 *   node scripts/record-events.mjs VERSION LOG…   →   libs/contracts/recorded/VERSION/<topic>.json
 *
 * A LOG is the driftloop.sqlite of a home that has run, better ones first: of the walk (`DRIFTLOOP_HOME=/tmp/loop npm start --
 * --once --until 2013-03-15`), and, for what a short walk does not come to, of the specs' worlds, which are kept where
 * DRIFTLOOP_KEEP_LOGS names a folder: those of tests first (walk/bad-candidate and quarantine, failures), whose services are all
 * real, then those of single services (monitoring's signals, silence and hold). What outsiders tell is told to the brokers
 * of KAFKA_BROKERS, where there are any, by the client's own reporter (record-inbound.mjs).
 *
 * Of each topic are kept, from the first log that has it: the event that says most, the first and the last; small ones where
 * there are any.
 *
 * I1  What is recorded is never changed: a topic that the release has a file of is left alone.
 * I2  An event counts only where that release's contracts know every field of it: it could have told it so.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { fromJson } from '@bufbuild/protobuf';
import { root } from './install.mjs';
import { toldByOutsiders } from './record-inbound.mjs';

const contracts = (file) => import(pathToFileURL(join(root, 'libs/contracts/dist', file)));
const { events, structuredCloudEvent } = await contracts('index.js');
const { payloadOf } = await contracts('asyncapi/document.js');
const { registryOf } = await contracts('descriptors.js');
/** Larger events are kept only where there are no others. */
const largest = 24 * 1024;

const [version, ...logs] = process.argv.slice(2);
if (!version || logs.length === 0) {
  console.error('usage: node scripts/record-events.mjs VERSION LOG…');
  process.exit(2);
}
const knows = isKnownTo(readFileSync(join(root, 'proto', 'releases', `${version}.binpb`)));
const brokers = (process.env.KAFKA_BROKERS ?? '').split(',').filter(Boolean);
const inbound = brokers.length ? await toldByOutsiders(brokers) : new Map();
const opened = logs.map((path) => new DatabaseSync(path, { readOnly: true }));
const folder = join(root, 'libs/contracts/recorded', version);
mkdirSync(folder, { recursive: true });
for (const event of Object.values(events)) {
  const file = join(folder, `${event.topic}.json`);
  if (existsSync(file)) {
    console.log(`    ${event.topic}: recorded before`);
    continue;
  }
  const kept = choose(recordable(event));
  console.log(`${String(kept.length).padStart(2)}  ${event.topic}`);
  if (kept.length) writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
}

/** The events of a topic in the first source that has some, small ones first. */
function recordable(event) {
  const { topic, from } = event;
  const sources = from === 'external' ? [inbound.get(topic) ?? []] : opened.map((log) => told(log, event));
  const structured = (fact) =>
    from === 'external' ? { ...structuredCloudEvent(fact), source: fact.source } : structuredCloudEvent(fact);
  const known = sources.map((facts) => facts.filter(({ data }) => knows(event, data)).map(structured));
  const found = known.filter((facts) => facts.length);
  return found.find((facts) => isSmall(facts[0])) ?? found[0] ?? [];
}

/** What a log has of a topic, of the speaker itself. */
function told(log, { topic, from }) {
  const rows = log.prepare('SELECT * FROM bus_events WHERE topic = ? ORDER BY length(data), offset').all(topic);
  return rows
    .filter(({ source }) => source === from)
    .map(({ id, key, time, source, traceparent, data }) => ({
      ...{ id, topic, key, time, source, traceparent: traceparent ?? undefined, data: JSON.parse(data) },
    }));
}

/** I2 */
function isKnownTo(image) {
  const messages = registryOf(image);
  return (event, data) => {
    const message = messages.getMessage(payloadOf(event).typeName);
    try {
      return message !== undefined && fromJson(message, data) !== undefined;
    } catch {
      return false;
    }
  };
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
