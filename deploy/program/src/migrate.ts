/** The command that brings what is stored to the format of this release, where a start cannot: migrate. */
import { misused, show } from '@driftloop/cli';
import { CallFailed } from '@driftloop/client';
import { LoopError } from '@driftloop/contracts';
import type { MigratedPlace } from '@driftloop/service';
import type { Command } from 'commander';

interface Options {
  home?: string;
  json?: boolean;
}

export function addMigrating(program: Command): void {
  program
    .command('migrate')
    .description('bring a home, or the databases of a cluster, to the format of this release; nothing may run on them')
    .option('--home <folder>', 'the home (default: DRIFTLOOP_HOME, or .driftloop)')
    .option('--json', 'as JSON')
    .action(async ({ home, json }: Options) => {
      const places = await migrated(home);
      const plain = places.map((place) => ({ ...place, found: numberOf(place.found), format: numberOf(place.format) }));
      show(json, plain, () => places.map(line).join('\n'));
    });
}

/** Throws CallFailed with what a LoopError says. */
async function migrated(home: string | undefined): Promise<MigratedPlace[]> {
  // Loaded here, so that the commands that only ask a gateway do not wait for it.
  const { migrateAll, readSettings } = await import('@driftloop/service');
  try {
    const settings = readSettings({ ...process.env, ...(home && { DRIFTLOOP_HOME: home }) });
    if (home && settings.mode === 'cluster')
      throw misused('DRIFTLOOP_MODE is cluster, which has no home: its databases are named by the environment');
    return await migrateAll(settings);
  } catch (error) {
    if (error instanceof LoopError) throw new CallFailed(error.code, error.message, error.retriable);
    throw error;
  }
}

const numberOf = (found: MigratedPlace['found']): number | null => (found === 'nothing' ? null : found);

function line({ what, found, format, done }: MigratedPlace): string {
  if (found === 'nothing') return `${what}: nothing is stored there yet`;
  if (!done.length) return `${what}: format ${format}, nothing to do`;
  return `${what}: format ${found} is now ${format}: ${done.map(({ name }) => name).join('; ')}`;
}
