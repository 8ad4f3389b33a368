/** The command that reads the ledger: prints it, filters it, and computes its chain anew. */
import { CallFailed, type Ledger, type LedgerCheck, readTime, verifyLedger } from '@driftloop/client';
import type { Command } from 'commander';
import { misused, type Open, withModel } from './doors.js';
import { columns, evidence, shortId, show, when } from './output.js';

interface Options {
  model?: string;
  kind?: string;
  cycle?: string;
  since?: string;
  until?: string;
  verify?: boolean;
  json?: boolean;
}

type Entry = Ledger['entries'][number];

export function addLedger(program: Command, open: Open): void {
  withModel(program.command('ledger').description('every decision about a model, in order, chained by hash'))
    .option('-k, --kind <kind>', 'only decisions of this kind: signal, cycle, gate, judgement, stage, alias, silence …')
    .option('-c, --cycle <id>', 'only those of a cycle: its id, or the beginning of it')
    .option('--since <time>', 'only from this event time on, e.g. 2013-02-14 or 2013-02-14T10:00:00Z')
    .option('--until <time>', 'only up to this event time')
    .option('--verify', 'compute the chain anew from the entries; exit code 1 where it is broken')
    .option('--json', 'as JSON')
    .action(async (options: Options) => {
      const doors = open();
      const wanted = filterOf(options);
      const model = await doors.model(options.model);
      const ledger = await doors.control.ledger(model);
      const entries = ledger.entries.filter(wanted);
      const check = options.verify ? verifyLedger(ledger) : undefined;
      show(options.json, { ...ledger, entries, ...(check && { check }) }, () =>
        [table(model, entries), '', check ? verdict(check) : ending(ledger)].join('\n'),
      );
      if (check && !check.whole) throw new CallFailed('LEDGER_BROKEN', verdict(check), false);
    });
}

/** Which entries are wanted. Throws USAGE for a time that is none. */
function filterOf({ kind, cycle, since, until }: Options): (entry: Entry) => boolean {
  const from = since === undefined ? Number.NEGATIVE_INFINITY : instant('--since', since);
  const to = until === undefined ? Number.POSITIVE_INFINITY : instant('--until', until);
  return ({ cycleId, decision }) => {
    const time = decision?.eventTime?.getTime() ?? 0;
    const isKind = !kind || decision?.kind === kind || decision?.kind.startsWith(`${kind}.`) === true;
    return isKind && (!cycle || cycleId.startsWith(cycle)) && time >= from && time <= to;
  };
}

function instant(option: string, text: string): number {
  const time = readTime(text, { utc: true });
  if ('ms' in time) return time.ms;
  throw misused(`${option} is ${time.problem}`);
}

function table(model: string, entries: readonly Entry[]): string {
  if (!entries.length) return `no such decision about ${model}`;
  return columns(
    ['#', 'event time', 'service', 'decision', 'outcome', 'cycle', 'why'],
    entries.map(({ position, service, cycleId, decision }) => [
      ...[
        position,
        when(decision?.eventTime),
        service,
        decision?.kind ?? '–',
        decision?.outcome.replace('_', ' ') ?? '–',
      ],
      ...[cycleId ? shortId(cycleId) : '–', why(decision)],
    ]),
  );
}

const ending = ({ total, watermark, sha256 }: Ledger): string =>
  `${total} decisions up to ${when(watermark)}, sha256 ${sha256 || '–'}`;

const verdict = ({ whole, entries, sha256, brokenAt, reason }: LedgerCheck): string =>
  whole
    ? `whole: the chain of ${entries} decisions ends with ${sha256 || 'nothing'}, as computed here`
    : `broken at ${brokenAt}: ${reason}`;

/** What a decision was made for: its first reason, or the first thing that it stands on. */
function why(decision: Ledger['entries'][number]['decision']): string {
  const [first] = decision?.evidence ?? [];
  return decision?.reasons[0] ?? (first ? evidence(first) : '–');
}
