/** What must hold after a disturbed run, whatever was done to it. */
import { Control } from '@driftloop/client';
import { services } from '@driftloop/contracts';
import { openMongod } from '@driftloop/documents';
import { databaseOf, readSettings } from '@driftloop/service';
import { differenceOf } from '../crash/difference.js';
import type { Outcome } from '../crash/outcome.js';
import type { ProcessHouse } from '../processes.js';
import type { Done } from './disturber.js';

/** An invariant, and what speaks against it; undefined where it holds. */
export interface Finding {
  readonly what: string;
  readonly against: string | undefined;
}

/** Looks at everything; throws only where a server cannot be asked. */
export async function findings(
  house: ProcessHouse,
  model: string,
  quiet: Outcome,
  disturbed: Outcome,
  done: Done,
): Promise<Finding[]> {
  const control = new Control(house.url, house.replayToken);
  const cycles = await control.cycles(model);
  const versions = await control.versions(model);
  const champions = versions.filter(({ state }) => state === 'champion');
  const open = cycles.filter(({ outcome }) => !outcome).length;
  return [
    {
      what: 'ledger, versions, bytes, answers, day sums and figures are those of the quiet run',
      against: differenceOf(quiet, disturbed),
    },
    { what: 'at most one cycle is open', against: open > 1 ? `${open} are open` : undefined },
    {
      what: 'there is at most one champion',
      against: champions.length > 1 ? `${champions.length} champions` : undefined,
    },
    { what: 'no event is unpublished', against: await unpublished() },
    {
      what: 'each record that is no event lies in the dead letters of every group that heard its topic, and nothing else does',
      against: await deadLetters(control, done),
    },
  ];
}

async function unpublished(): Promise<string | undefined> {
  const { namespace, mongodb } = readSettings({ ...process.env, DRIFTLOOP_MODE: 'cluster' }).cluster!;
  for (const service of services) {
    const connection = await openMongod(mongodb.reveal(), databaseOf({ namespace }, service));
    try {
      for (const { name } of await connection.listCollections()) {
        const left = await connection.collection(name).countDocuments({ 'pending.0': { $exists: true } } as never);
        if (left > 0) return `${left} documents of ${service} ${name} have unsent events`;
      }
    } finally {
      await connection.close();
    }
  }
  return undefined;
}

interface Services {
  services: { service: string; groups?: { name: string; topics?: string[]; dead?: string }[] }[];
}

async function deadLetters(control: Control, { poisoned }: Done): Promise<string | undefined> {
  const { services: all } = (await control.send('GET', '/v1/services')) as Services;
  for (const { groups = [] } of all) {
    for (const { name, topics = [], dead } of groups) {
      const expected = topics.filter((topic) => poisoned.includes(topic)).length;
      if (Number(dead ?? 0) !== expected) return `${name} has ${dead ?? 0} dead letters, not ${expected}`;
    }
  }
  return undefined;
}
