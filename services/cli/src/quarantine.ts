/** The command about what is set aside: quarantine, quarantine show, release, uphold. */
import type { QuarantineItem } from '@driftloop/client';
import { type Command, Option } from 'commander';
import { type Open, withModel } from './doors.js';
import { columns, evidence, show, when } from './output.js';
import { wholeNumber } from './whole-number.js';

interface Options {
  model?: string;
  state?: 'held' | 'released' | 'upheld';
  limit?: number;
  note?: string;
  json?: boolean;
}

export function addQuarantine(program: Command, open: Open): void {
  const quarantine = withModel(program.command('quarantine').description('what was set aside, and why; newest first'))
    .addOption(new Option('--state <state>', 'only what is so').choices(['held', 'released', 'upheld']))
    .option('--limit <n>', 'at most so many, up to 1,000', wholeNumber(1, 1000))
    .option('--json', 'as JSON')
    .action(async ({ model, state, limit, json }: Options) => {
      const doors = open();
      const found = await doors.quarantine.list(await doors.model(model), { state, limit });
      show(json, found, () => table(found.items, found.total));
    });
  one(quarantine, 'show', 'one item, with its evidence and the row as it came').action(
    async (id: string, _: Options, command: Command) => {
      const { model, json } = command.optsWithGlobals<Options>();
      const doors = open();
      const item = await doors.quarantine.find(await doors.model(model), id);
      show(json, item, () => details(item));
    },
  );
  word(quarantine, open, 'release', 'let an item in: the data are right, learn from them');
  word(quarantine, open, 'uphold', 'confirm that an item is bad: it stays out');
}

function word(quarantine: Command, open: Open, name: 'release' | 'uphold', description: string): void {
  one(quarantine, name, description)
    .option('--note <text>', 'why, for the record')
    .action(async (id: string, _: Options, command: Command) => {
      const { model, note, json } = command.optsWithGlobals<Options>();
      const doors = open();
      const named = await doors.model(model);
      const { id: whole } = await doors.quarantine.find(named, id);
      const item = await doors.quarantine[name](named, whole, note);
      const from = item.holder === 'monitoring' ? ', from the next tick on' : '';
      show(json, item, () => `${item.id}: ${item.state}${from}`);
    });
}

const one = (quarantine: Command, name: string, description: string): Command =>
  quarantine
    .command(name)
    .description(description)
    .argument('<id>', 'the item, or the beginning of its id')
    .option('-m, --model <name>', 'the model (default: the one that is declared)')
    .option('--json', 'as JSON');

function table(items: readonly QuarantineItem[], total: number): string {
  if (!items.length) return 'nothing is set aside';
  const rows = items.map(({ id, state, eventTime, kind, rows, subject }) => [
    short(id),
    state,
    when(eventTime),
    kind.replaceAll('_', ' '),
    rows,
    subject,
  ]);
  const more = total > items.length ? `\n${items.length} of ${total}; more with --limit` : '';
  return columns(['id', 'state', 'set aside', 'why', 'rows', 'what'], rows) + more;
}

/** "monitoring/1a2b3c4d": enough to name it by. */
const short = (id: string): string => {
  const [holder, hash] = id.split('/');
  return `${holder}/${hash.slice(0, 8)}`;
};

function details(item: QuarantineItem): string {
  const { window } = item;
  return [
    `${item.id}: ${item.state}`,
    `${item.subject}${item.source ? `, source ${item.source}` : ''}, ${item.rows} row${item.rows === 1 ? '' : 's'}, set aside ${when(item.eventTime)}`,
    ...(window ? [`from ${when(window.start)} to ${when(window.end)}`] : []),
    ...(item.note ? [`note: ${item.note}`] : []),
    ...item.reasons.map((reason) => `  ${reason}`),
    ...item.evidence.map((piece) => `  ${evidence(piece)}`),
    ...(item.rowJson ? [`  ${item.rowJson}`] : []),
  ].join('\n');
}
