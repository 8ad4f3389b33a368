/** The command that sends a file of rows: ingest. */
import { writeFileSync } from 'node:fs';
import { CallFailed, readTime } from '@driftloop/client';
import { type Command, InvalidArgumentError } from 'commander';
import { type Open, withModel } from './doors.js';
import { show } from './output.js';

interface Options {
  model?: string;
  source: string;
  format?: string;
  watermark?: Date;
  rejected?: string;
  json?: boolean;
}

type Reply = Awaited<ReturnType<ReturnType<ReturnType<Open>['reporter']>['file']>>;

export function addIngesting(program: Command, open: Open): void {
  withModel(program.command('ingest').description('send a file of rows of a source to the feature store'))
    .argument('<file>', 'CSV, gzipped CSV or Parquet')
    .requiredOption('-s, --source <name>', 'the source, as the spec declares it')
    .option('--format <format>', 'csv, csv.gz or parquet (default: by its name)')
    .option('--watermark <time>', 'with it, everything known at or before this time has been sent', time)
    .option('--rejected <file>', 'write the rejected rows here, to be mended and sent again')
    .option('--json', 'as JSON')
    .action((path: string, options: Options) => ingest(open, path, options));
}

async function ingest(open: Open, path: string, { rejected: to, json, ...options }: Options): Promise<void> {
  const doors = open();
  const model = await doors.model(options.model);
  const reporter = doors.reporter();
  try {
    const { rejectedFile, ...reply } = await reporter.file({ ...options, model, path });
    if (to && rejectedFile.length) write(to, rejectedFile);
    show(json, reply, () => told({ ...reply, rejectedFile }, to));
    if (reply.rejectedCount) process.exitCode = 1;
  } finally {
    reporter.close();
  }
}

function told(reply: Reply, to: string | undefined): string {
  const { rows, accepted, duplicates, quarantined, rejectedCount, rejected, unknownColumns, rejectedInFile } = reply;
  const sums = `${rows} rows: ${accepted} accepted, ${duplicates} duplicates, ${quarantined} set aside, ${rejectedCount} rejected`;
  const faults = rejected.map(({ code, reason }) => `  ${code}: ${reason}`);
  const more = rejectedCount > rejected.length ? [`  and ${rejectedCount - rejected.length} more`] : [];
  const unread = unknownColumns.length ? [`not declared, and left unread: ${unknownColumns.join(', ')}`] : [];
  const written =
    to && rejectedInFile ? [`${to} holds ${rejectedInFile} of the rejected rows; mend it and send it`] : [];
  return [sums, ...faults, ...more, ...unread, ...written].join('\n');
}

function write(to: string, rejected: Uint8Array): void {
  try {
    writeFileSync(to, rejected);
  } catch (error) {
    throw new CallFailed('FILE_UNWRITABLE', `${(error as Error).message}; the good rows are in`, false);
  }
}

function time(text: string): Date {
  const read = readTime(text, { utc: true });
  if ('ms' in read) return new Date(read.ms);
  throw new InvalidArgumentError(`It is ${read.problem}.`);
}
