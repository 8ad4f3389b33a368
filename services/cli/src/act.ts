/** Commands that act: apply, promote, rollback. */
import { readFileSync } from 'node:fs';
import { CallFailed } from '@driftloop/client';
import type { Command } from 'commander';
import { type Open, withModel } from './doors.js';
import { show } from './output.js';

interface Options {
  model?: string;
  expect?: string;
  expectChallenger?: string;
  note?: string;
  force?: boolean;
  json?: boolean;
}

export function addActing(program: Command, open: Open): void {
  program
    .command('apply')
    .description('declare or change a model')
    .requiredOption('-f, --file <file>', 'its spec, YAML or JSON; - reads standard input')
    .option('--json', 'as JSON')
    .action(async ({ file, json }: { file: string; json?: boolean }) => {
      const reply = await open().control.apply(read(file));
      const what = reply.changed ? 'applied' : 'unchanged';
      show(json, reply, () => `${reply.model}: ${what}, revision ${reply.revision}`);
    });
  withModel(program.command('promote').description('make a version champion by hand'))
    .argument('<version>', 'e.g. v3')
    .option('--expect <version>', 'refuse when the champion is another one')
    .option('--note <text>', 'why, for the record')
    .option('--force', 'even while the champion is frozen')
    .option('--json', 'as JSON')
    .action(async (version: string, { model, expect, note, force, json }: Options) => {
      const doors = open();
      const name = await doors.model(model);
      const { rollout } = await doors.control.promote(name, version, expect, note, force);
      show(json, rollout, () => `${name}: ${rollout?.champion?.version} answers (revision ${rollout?.revision})`);
    });
  withModel(program.command('rollback').description('withdraw the challenger, or put the previous champion back'))
    .option('--expect <version>', 'refuse when the champion is another one')
    .option('--expect-challenger <version>', 'refuse when another one, or none, is on trial')
    .option('--note <text>', 'why, for the record')
    .option('--force', 'even while the champion is frozen')
    .option('--json', 'as JSON')
    .action(async ({ model, expect, expectChallenger, note, force, json }: Options) => {
      const doors = open();
      const name = await doors.model(model);
      const expected = { champion: expect, challenger: expectChallenger };
      const { rollout } = await doors.control.rollBack(name, note, force, expected);
      show(json, rollout, () => `${name}: ${rollout?.champion?.version} answers (revision ${rollout?.revision})`);
    });
}

/** A file's text; - is standard input. Throws FILE_UNREADABLE. */
export function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CallFailed('FILE_UNREADABLE', `${(error as Error).message}; name a spec file with -f`, false);
  }
}
