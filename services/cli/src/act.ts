/** Commands that act: apply, promote, rollback. */
import { readFileSync } from 'node:fs';
import { CallFailed, type Control } from '@driftloop/client';
import type { Command } from 'commander';
import { show } from './output.js';

type Connect = () => Control;

export function addActing(program: Command, connect: Connect): void {
  program
    .command('apply')
    .description('declare or change a model')
    .requiredOption('-f, --file <file>', 'its spec, YAML or JSON')
    .option('--json', 'as JSON')
    .action(async ({ file, json }: { file: string; json?: boolean }) => {
      const reply = await connect().apply(read(file));
      const what = reply.changed ? 'applied' : 'unchanged';
      show(json, reply, () => `${reply.model}: ${what}, revision ${reply.revision}`);
    });
  program
    .command('promote')
    .description('make a version champion by hand')
    .argument('<version>', 'e.g. v3')
    .option('-m, --model <name>', 'the model', 'flights')
    .option('--expect <version>', 'refuse when the champion is another one')
    .option('--note <text>', 'why, for the record')
    .option('--json', 'as JSON')
    .action(async (version: string, o: { model: string; expect?: string; note?: string; json?: boolean }) => {
      const { rollout } = await connect().promote(o.model, version, o.expect, o.note);
      show(o.json, rollout, () => `${o.model}: ${rollout?.champion?.version} answers (revision ${rollout?.revision})`);
    });
  program
    .command('rollback')
    .description('withdraw the challenger, or put the previous champion back')
    .option('-m, --model <name>', 'the model', 'flights')
    .option('--note <text>', 'why, for the record')
    .option('--json', 'as JSON')
    .action(async (o: { model: string; note?: string; json?: boolean }) => {
      const { rollout } = await connect().rollBack(o.model, o.note);
      show(o.json, rollout, () => `${o.model}: ${rollout?.champion?.version} answers (revision ${rollout?.revision})`);
    });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CallFailed('FILE_UNREADABLE', `${file}: ${(error as Error).message}; name a spec file with -f`, false);
  }
}
