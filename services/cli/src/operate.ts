/** Commands of operators: services, dead, replay, discard, pause, resume, freeze, thaw, clock accept. */
import type { DeadLetter, DescribeReply, ModelStatus, Rollout } from '@driftloop/client';
import type { Command } from 'commander';
import { misused, type Open, withModel } from './doors.js';
import { columns, show, when } from './output.js';
import { wholeNumber } from './whole-number.js';

interface Options {
  model?: string;
  service?: string;
  group?: string;
  limit?: number;
  note?: string;
  all?: boolean;
  json?: boolean;
}

export function addOperating(program: Command, open: Open): void {
  program
    .command('services')
    .description('what runs: each service, whether it is ready, how far its groups are behind')
    .option('--json', 'as JSON')
    .action(async ({ json }: Options) => {
      const found = await open().operations.services();
      show(json, found, () => servicesTable(found));
    });
  addLetters(program, open);
  addDiscard(program, open);
  addHolds(program, open);
  addClock(program, open);
}

function addLetters(program: Command, open: Open): void {
  program
    .command('dead')
    .description('events that a group could not take, oldest first, with the error')
    .option('-s, --service <name>', 'only those of a service')
    .option('-g, --group <name>', 'only those of a group')
    .option('--limit <n>', 'at most so many, up to 1,000', wholeNumber(1, 1000))
    .option('--json', 'as JSON, with the payloads')
    .action(async ({ service, group, limit, json }: Options) => {
      const found = await open().operations.dead({ service, group, limit });
      show(json, found, () => lettersTable(found.letters, found.total));
    });
  program
    .command('replay')
    .description('give dead letters back to their group, and to it alone')
    .argument('<group>', 'the group, as `driftloop dead` names it')
    .argument('[events...]', 'ids of the events; all of the group (the oldest 10,000) where none is named')
    .option('--json', 'as JSON')
    .action(async (group: string, events: string[], { json }: Options) => {
      const replayed = await open().operations.replay(group, events);
      const letters = replayed === 1 ? 'one event' : `${replayed} events`;
      show(
        json,
        { group, replayed },
        () => `${letters} given back to ${group}; \`driftloop dead\` shows what fails again`,
      );
    });
}

function addDiscard(program: Command, open: Open): void {
  program
    .command('discard')
    .description('throw dead letters away, for good: their sender has to send them anew')
    .argument('<group>', 'the group, as `driftloop dead` names it')
    .argument('[events...]', 'ids of the events')
    .option('--all', 'all of the group, the oldest 10,000; in place of ids')
    .option('--note <text>', 'why, for the record')
    .option('--json', 'as JSON')
    .action(async (group: string, events: string[], { all = false, note, json }: Options) => {
      if (all === events.length > 0) throw misused('name the events to discard, or --all of the group, and not both');
      const { discarded, eventIds } = await open().operations.discard(group, all ? 'all' : events, note);
      const more = discarded - eventIds.length;
      const named = [...eventIds, ...(more > 0 ? [`and ${more} more`] : [])].map((id) => `  ${id}`);
      const letters = discarded === 1 ? 'one event' : `${discarded} events`;
      show(json, { group, discarded, eventIds }, () => [`${letters} of ${group} discarded`, ...named].join('\n'));
    });
}

function addHolds(program: Command, open: Open): void {
  const hold = (name: 'pause' | 'resume', description: string) =>
    holding(program, name, description).action(async ({ model, note, json }: Options) => {
      const doors = open();
      const state = await doors.operations[name](await doors.model(model), note);
      show(json, state, () => holdLine(state));
    });
  hold('pause', 'let no cycle open from the next tick on; signals go on, an open cycle goes on');
  hold('resume', 'let the loop go on after a pause, or after its breaker has opened');
  const keep = (name: 'freeze' | 'thaw', description: string) =>
    holding(program, name, description).action(async ({ model, note, json }: Options) => {
      const doors = open();
      const named = await doors.model(model);
      const { rollout } = await doors.operations[name](named, note);
      show(json, rollout, () => keepLine(named, rollout));
    });
  keep('freeze', 'keep the champion where it is: trials wait, harm still ends them');
  keep('thaw', 'let trials go on, and the champion move again');
}

function addClock(program: Command, open: Open): void {
  program
    .command('clock')
    .description('the clock that decisions are made by')
    .command('accept')
    .description("go on from the machine's clock as it is, however far it is from the time that was known")
    .option('--note <text>', 'why, for the record')
    .option('--json', 'as JSON')
    .action(async ({ note, json }: Options) => {
      await open().operations.acceptClock(note);
      show(json, { accepted: true }, () => "the machine's clock is accepted: decisions go on from the next tick on");
    });
}

const holding = (program: Command, name: string, description: string): Command =>
  withModel(program.command(name).description(description))
    .option('--note <text>', 'why, for the record')
    .option('--json', 'as JSON');

const holdLine = ({ model, paused, pausedNote, openCycle }: ModelStatus): string =>
  paused
    ? `${model} is paused ${pausedNote}: no cycle opens from the next tick on${openCycle ? '; the open one goes on' : ''}`
    : `${model} goes on: cycles open again from the next tick on`;

function keepLine(model: string, rollout: Rollout | undefined): string {
  const champion = rollout?.champion?.version;
  if (!rollout?.held) return `${model} is thawed: ${champion} answers, and may be replaced again`;
  const trial = rollout.challenger ? `; ${rollout.challenger.version} stays on trial, and waits` : '';
  return `${model} is frozen: ${champion} answers and stays${trial}`;
}

function servicesTable(found: readonly DescribeReply[]): string {
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
  const rows = found.map(({ service, version, replica, ready, reasons, groups }) => [
    service,
    ready ? 'ready' : `not ready: ${reasons.join('; ')}`,
    version || '–',
    replica || '–',
    groups.length,
    sum(groups.map(({ lag }) => lag)),
    sum(groups.map(({ dead }) => dead)),
  ]);
  const behind = found.flatMap(({ groups }) => groups).filter(({ lag, dead }) => lag > 0 || dead > 0);
  const details = behind.map(({ name, topics, lag, dead }) => [name, topics.join(' '), lag, dead]);
  const attention = found.flatMap(({ service, attention: lines }) => lines.map((line) => `! ${service}: ${line}`));
  return [
    columns(['service', 'state', 'version', 'replica', 'groups', 'behind', 'dead'], rows),
    ...(details.length ? ['', columns(['group', 'hears', 'behind', 'dead'], details)] : []),
    ...(attention.length ? ['', ...attention] : []),
  ].join('\n');
}

function lettersTable(letters: readonly DeadLetter[], total: number): string {
  if (!letters.length) return 'no dead letters';
  const rows = letters.map(({ eventTime, group, topic, key, eventId, errorCode, error }) => [
    when(eventTime),
    ...[group, topic, key, eventId],
    `${errorCode}: ${error.replaceAll('\n', ' ').slice(0, 120)}`,
  ]);
  const more = total > letters.length ? [`${total - letters.length} more; see --limit`] : [];
  return [columns(['time', 'group', 'topic', 'key', 'event', 'error'], rows), ...more].join('\n');
}
