/**
 * What outsiders tell, for record-events.mjs: the first morning of the flights, told by the client's own reporter to real
 * brokers, and read back from there. Topics go again.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './install.mjs';

const built = (path) => import(pathToFileURL(join(root, path)));
const { events } = await built('libs/contracts/dist/index.js');
const { KafkaBus, removeNamespace } = await built('libs/bus/dist/kafka.js');
const { KafkaReporter } = await built('libs/client/dist/kafka.js');
const { openWorld } = await built('examples/flights/dist/flights.js');
const inbound = [events.outcomesReported, events.entitiesObserved];
/** Rows of a report: enough to show what there is, few enough to read. */
const most = 5;

/** Events by topic, each with its fields as the bus reads them. Throws where the brokers do not answer. */
export async function toldByOutsiders(brokers) {
  const servers = { brokers, namespace: `record-${process.pid}` };
  const bus = await KafkaBus.open({ servers: { brokers }, namespace: servers.namespace, name: 'record' });
  try {
    for (const { topic, partitions, keep } of inbound) await bus.declare(topic, { partitions, keep });
    await report(servers);
    const read = inbound.map(async ({ topic }) => [topic, await bus.read(topic, 0, 0, 1000)]);
    return new Map(await Promise.all(read));
  } finally {
    await bus.close();
    await removeNamespace({ brokers }, servers.namespace);
  }
}

/** Rows of each source, outcomes, and the promise that this was all until then; each report has an id of its own. */
async function report(servers) {
  const { model, label, sources, happenings } = openWorld();
  const reporter = await KafkaReporter.open(servers, '/flights/replay');
  const told = {};
  for (const happening of happenings) {
    const { kind, source = '', fact, outcome } = happening;
    if (kind === 'question' || told[kind + source]?.length === most) continue;
    told[kind + source] = [...(told[kind + source] ?? []), fact ?? outcome];
    const all = ['outcome', ...sources.map((name) => `fact${name}`)];
    if (all.every((name) => told[name]?.length === most)) break;
  }
  const until = (rows) => new Date(Math.max(...rows.map(({ knownAt }) => knownAt.getTime())));
  for (const source of sources) {
    const rows = told[`fact${source}`];
    await reporter.facts(model, source, rows, { id: `first ${source}`, watermark: until(rows) });
  }
  await reporter.outcomes(label, told.outcome, { id: 'first outcomes', watermark: until(told.outcome) });
  await reporter.outcomes(label, told.outcome.slice(0, 1), { id: 'one outcome' });
  await reporter.close();
}
