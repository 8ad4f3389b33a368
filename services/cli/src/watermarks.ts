/** The command about how far sources have come: watermarks, watermarks withdraw. */
import type { SourceWatermark } from '@driftloop/client';
import { type Command, InvalidArgumentError } from 'commander';
import { type Open, withModel } from './doors.js';
import { columns, show, when } from './output.js';

interface Options {
  model?: string;
  to?: Date;
  note?: string;
  json?: boolean;
}

export function addWatermarks(program: Command, open: Open): void {
  const watermarks = withModel(
    program.command('watermarks').description('how far each source has come: what it has promised, and what it knows'),
  )
    .option('--json', 'as JSON')
    .action(async ({ model, json }: Options) => {
      const doors = open();
      const found = await doors.watermarks.list(await doors.model(model));
      show(json, found, () => table(found));
    });
  withModel(watermarks.command('withdraw').description('take a promise back that should not have been made'))
    .argument('<source>', 'the source, as `driftloop watermarks` names it')
    .option('--to <time>', 'what holds from now on (RFC 3339); without it nothing is promised any more', time)
    .option('--note <text>', 'why, for the record')
    .option('--json', 'as JSON')
    .action(async (source: string, _: Options, command: Command) => {
      const { model, to, note, json } = command.optsWithGlobals<Options>();
      const doors = open();
      const state = await doors.watermarks.withdraw(await doors.model(model), source, to, note);
      const holds = state.watermark ? `is at ${when(state.watermark)} again` : 'has promised nothing';
      show(json, state, () => `${source} ${holds}; what it promises next counts as ever`);
    });
}

function table(found: readonly SourceWatermark[]): string {
  const rows = found.map(({ source, watermark, newestKnownAt, rows, silent }) => [
    ...[source, when(watermark), when(newestKnownAt), rows],
    stateOf({ watermark, newestKnownAt, silent }),
  ]);
  return columns(['source', 'promised up to', 'newest known', 'rows in memory', 'state'], rows);
}

function stateOf({
  watermark,
  newestKnownAt,
  silent,
}: Pick<SourceWatermark, 'watermark' | 'newestKnownAt' | 'silent'>) {
  if (!watermark) return newestKnownAt ? 'has promised nothing' : 'has never spoken';
  return silent ? 'silent: nobody waits for it' : '';
}

function time(text: string): Date {
  const read = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(read.getTime()))
    throw new InvalidArgumentError('write a time such as 2013-02-14T10:00:00Z');
  return read;
}
