/**
 * The process that is fuzzed: the whole system on a home, in one process, so that whatever ends or stalls one service is seen at all
 * of them. It plays the small world first where the home is new, says where its doors are, and does what it is asked.
 *
 * Argument: the home.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { anyPorts, type House, openHouse } from '@driftloop/embedded';
import type { Described, Memory, Told, Wanted } from './system.js';
import { played } from './world.js';

const home = process.argv[2];
const tell = (told: Told) => process.send!(told);
const house = await openHouse(home, { environment: { ...process.env, ...anyPorts } });
const marker = join(home, 'played');
if (!existsSync(marker)) {
  await played(house, house.replayToken);
  writeFileSync(marker, '');
}

process.on('message', (wanted: Wanted) => {
  if (wanted.what === 'close') return void house.close().finally(() => process.disconnect());
  void answer(wanted).then(
    (value) => tell({ kind: 'answer', id: wanted.id, value }),
    (error: Error) => tell({ kind: 'answer', id: wanted.id, failed: error.message }),
  );
});
tell({ kind: 'ready', described: describe(house) });

async function answer(wanted: Wanted): Promise<unknown> {
  switch (wanted.what) {
    case 'memory':
      return memory();
    case 'publish':
      return publish(wanted.event);
    case 'settled':
      return house.store.bus.settled();
    case 'reasons':
      return [...house.services.values()].flatMap((service) => service.reasons());
  }
}

function publish({ id, topic, key, data }: (Wanted & { what: 'publish' })['event']): Promise<void> {
  return house.store.bus.publish([{ id, topic, key, time: 0, source: 'external', data: JSON.parse(data) }]);
}

/**
 * What lives: the heap and what hangs on it outside, after collections. Resident memory is a figure only: what malloc's arenas, SQLite's
 * and DuckDB's pages and the threads' heaps keep of what was given back is theirs.
 */
async function memory(): Promise<Memory> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc!();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return { live: heapUsed + external, resident: rss, cpuMs: (user + system) / 1000 };
}

function describe({ services, url, replayToken, address }: House): Described {
  const doors = [...services.values()].map(({ name, port, healthPort }) => ({
    name,
    address: port ? address(name) : '',
    health: `http://127.0.0.1:${healthPort}`,
  }));
  return { url, replayToken, doors, routes: routesOf(services.get('gateway')!.app.getHttpAdapter().getInstance()) };
}

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
}

/** Every route that the gateway has, as Express keeps them. */
function routesOf({ router }: { router: { stack: readonly Layer[] } }): string[] {
  return router.stack.flatMap(({ route }) =>
    route ? Object.keys(route.methods).map((verb) => `${verb.toUpperCase()} ${route.path}`) : [],
  );
}
