/** What a running system has: groups, collections, tables and files of an embedded home, HTTP routes. It has heard nothing yet. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const replica = '<replica>';

/** Starts every service on a home of its own, looks, and ends it. */
export async function namesOfSystem({ openHouse, Connection }) {
  const home = mkdtempSync(join(tmpdir(), 'driftloop-names-'));
  try {
    const environment = { DRIFTLOOP_REPLICA: 'the-replica', DRIFTLOOP_LOG_LEVEL: 'error' };
    const house = await openHouse(home, { anyPorts: true, environment });
    try {
      const services = [...house.services];
      return {
        groups: groupsOf(await house.store.bus.lag(), environment.DRIFTLOOP_REPLICA),
        routes: routesOf(house.services.get('gateway').app.getHttpAdapter().getInstance()),
        collections: services.flatMap(([name, { app }]) => collectionsOf(name, app.get(Connection))),
        tables: tablesOf(house.store.db),
        // What SQLite puts beside a file is its own.
        home: readdirSync(home, { recursive: true }).filter((path) => !/-(wal|shm|journal)$/.test(path)),
      };
    } finally {
      await house.close();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** "monitoring.when-labels-added: labels.added", of the places at which a bus's groups are. */
export function groupsOf(lags, own) {
  const byGroup = Map.groupBy(lags, ({ group }) => group);
  const topics = (places) => [...new Set(places.map(({ topic }) => topic))].sort().join(', ');
  return [...byGroup].map(([group, places]) => `${group.replace(own, replica)}: ${topics(places)}`);
}

/** Each collection of a service's models with its field paths and indexes. */
export function collectionsOf(service, { models }) {
  return Object.values(models).flatMap(({ collection, schema }) => {
    const named = (line) => `${service} ${collection.name}${line}`;
    const fields = fieldsOf(schema).map(([path, type]) => named(`.${path}: ${type}`));
    const indexes = schema.indexes().map(([keys, { background, ...options }]) => {
      const more = Object.keys(options).length ? ` ${JSON.stringify(options)}` : '';
      return named(` index ${JSON.stringify(keys)}${more}`);
    });
    return [...fields, ...indexes];
  });
}

function fieldsOf(schema) {
  return Object.entries(schema.paths).flatMap(([path, { instance, embeddedSchemaType, schema: within, options }]) => {
    const one = within ? 'document' : embeddedSchemaType?.instance;
    const type = instance === 'Array' && one ? `${one}[]` : instance;
    const rules = [options.required && 'required', options.select === false && 'not selected'].filter(Boolean);
    const own = [path, [type, ...rules].join(', ')];
    const at = instance === 'Array' ? `${path}[]` : path;
    return [own, ...(within ? fieldsOf(within).map(([below, of]) => [`${at}.${below}`, of]) : [])];
  });
}

/** The tables, views and indexes of a SQLite file, as they were made. */
function tablesOf(db) {
  const made = db.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'").all();
  return made.map(({ sql }) => sql.replace(/\s+/g, ' '));
}

/** The paths that an Express application answers. */
export function routesOf({ router }) {
  const routes = router.stack.flatMap(({ route }) => (route ? [route] : []));
  return routes.flatMap(({ path, methods }) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
}
