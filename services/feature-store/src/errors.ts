/** What can be wrong with what the feature store is given or asked. */
import { catalogue } from '@driftloop/contracts';

interface Rejected {
  readonly index: number;
  readonly reason: string;
}

/** In a message: the first few. */
const shown = 10;

function listed(rejected: readonly Rejected[], all: number): string {
  const first = rejected.slice(0, shown).map(({ index, reason }) => `[${index}] ${reason}`);
  return first.join('; ') + (all > shown ? `; and ${all - shown} more` : '');
}

const listedNames = (names: readonly string[]): string =>
  names.slice(0, 50).join(', ') + (names.length > 50 ? ` and ${names.length - 50} more` : '');

export const errors = catalogue('feature-store', {
  UNKNOWN_MODEL: {
    status: 'NOT_FOUND',
    retriable: true,
    message: (m: { model: string; known: string[] }) =>
      `no model "${m.model}" is declared; declared: ${m.known.join(', ') || 'none'} (apply its spec first, or try again in a moment)`,
  },
  UNKNOWN_LABEL: {
    status: 'NOT_FOUND',
    retriable: true,
    message: (m: { label: string }) => `no model declares the label "${m.label}" yet`,
    remedy: 'apply the model that has the label, or try again in a moment',
  },
  UNKNOWN_REVISION: {
    status: 'NOT_FOUND',
    retriable: true,
    message: (m: { model: string; revision: number; current: number }) =>
      `revision ${m.revision} of the spec of "${m.model}" is not known; the current one is ${m.current}`,
    remedy: 'leave the revision out, or ask for the current one',
  },
  UNKNOWN_SOURCE: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { model: string; source: string; known: string[] }) =>
      `the model "${m.model}" declares no source "${m.source}"; declared: ${m.known.join(', ')}`,
    remedy: 'name a declared source, or declare this one',
  },
  OUTCOMES_NOT_INGESTED: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { source: string }) => `"${m.source}" are labels: report them to labeling (RecordOutcomes)`,
  },
  REPORT_EMPTY: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { model: string; source: string }) =>
      `the report on "${m.source}" of "${m.model}" has neither rows nor a watermark; send "rows": [{"entityId", "eventTime", "knownAt", "values"}]`,
  },
  REPORT_OF_UNKNOWN_MODEL: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { model: string }) =>
      `no model "${m.model}" is declared; apply its spec first, then give this event back (driftloop replay)`,
  },
  ROWS_REFUSED: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: {
      model: string;
      source: string;
      rows: number;
      rejectedCount: number;
      rejected: readonly Rejected[];
    }) =>
      `${m.rejectedCount} of ${m.rows} rows of "${m.source}" of "${m.model}" are malformed, the rest is taken in: ${listed(m.rejected, m.rejectedCount)}`,
    remedy: 'mend the rows that are named, and send them again',
  },
  BATCH_TOO_LARGE: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: false,
    message: (m: { rows: number; limit: number }) => `${m.rows} in one message; send at most ${m.limit}`,
  },
  TIME_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { what: string }) => `${m.what} is missing or not a time between 1900 and 2200`,
    remedy: 'send a time in RFC 3339 with its offset',
  },
  WATERMARK_AHEAD: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { model: string; source: string; watermark: string; latest: string; advice: string }) =>
      `the watermark of "${m.source}" of "${m.model}" is ${m.watermark}, and nothing can be known yet after ${m.latest}: ${m.advice}`,
    remedy: 'promise no later than what the message names; in a replay go there in steps',
  },
  INPUT_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { question: number; input: string; problem: string }) =>
      `question ${m.question}: input "${m.input}" ${m.problem}`,
    remedy: 'send the input as the problem says',
  },
  TOO_MANY_WAITING: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: true,
    message: (m: { limit: number }) =>
      `${m.limit} reads wait for a watermark already; let some of them end, or try again with a shorter deadline`,
  },
  TOO_BUSY: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: true,
    message: (m: { what: string; limit: number }) => `${m.limit} ${m.what} are under way or waiting; try again later`,
  },
  FILE_WITHOUT_DESCRIPTION: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: () => 'the first message of IngestFile must describe the file, and every later one carry a chunk',
    remedy: 'send the description first, then the chunks',
  },
  FILE_FORMAT_UNKNOWN: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { format: string }) => `format "${m.format}" is not known; send csv, csv.gz or parquet`,
  },
  FILE_TOO_LARGE: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: false,
    message: (m: { bytes: number; limit: number }) => `the file has more than ${m.limit} bytes; split it`,
  },
  FILE_UNREADABLE: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { format: string; problem: string }) => `not readable as ${m.format}: ${m.problem}`,
    remedy: 'mend the file where the problem says, or write it again with an ordinary exporter',
  },
  FILE_EXPANDS: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: false,
    message: (m: { format: string; what: string; limit: number }) =>
      `the ${m.format} file has more than ${m.limit} ${m.what}; split it, or write it with an ordinary exporter`,
  },
  FILE_TOO_COSTLY: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: false,
    message: (m: { format: string }) =>
      `the ${m.format} file needs more memory than a file may; write it with smaller row groups and pages, or fewer columns`,
  },
  TEMPORARY_DISK_FULL: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: () => 'the disk for temporary files is full; nothing was taken in or built, make room and try again',
  },
  FILE_INCOMPLETE: {
    status: 'INVALID_ARGUMENT',
    retriable: true,
    message: (m: { what: string; said: string; found: string }) =>
      `the file was said to have ${m.said} ${m.what}, and has ${m.found}: it was cut off or changed on its way, and nothing of it is taken in; send it again`,
  },
  FILE_COLUMN_MISSING: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { missing: string[]; found: string[] }) =>
      `the file lacks ${listedNames(m.missing)} (it has ${listedNames(m.found)}); name the columns of ids and times in the source's "file", and those that may be lacking in its "file.optional"`,
  },
  FILE_COLUMN_TWICE: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { twice: string[] }) =>
      `the file has several columns called ${listedNames(m.twice)}; give each a name of its own`,
  },
  FILE_COLUMN_TYPE: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { column: string; type: string; role: string; remedy: string }) =>
      `the column "${m.column}" is of the type ${m.type}, which cannot be read as ${m.role}; ${m.remedy}`,
    remedy: 'cast the column in the file, or declare it as what it is',
  },
  WINDOW_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { window: number }) =>
      `excluded window ${m.window} must have a start and a later end, times between 1900 and 2200`,
    remedy: 'send both, the earlier one as the start',
  },
  TRAINING_SET_EMPTY: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { model: string; cutoff: string; labels: number; rows: number }) =>
      `no training row for "${m.model}" up to ${m.cutoff}: ${m.labels} labels, ${m.rows} rows of the request source are known; each label needs its entity's row known at its question`,
    cause: 'rows of the request source are missing, of other entity ids, or known after the question',
    remedy: 'send the rows of the labelled entities, known before their questions',
  },
  FEATURE_NAME_RESERVED: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { names: string[] }) =>
      `features cannot be called ${m.names.join(', ')}: the training set has such columns (names that differ by case alone count as the same)`,
    remedy: 'declare the features under other names, as a model of another name',
  },
  UNKNOWN_ITEM: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { id: string }) => `nothing called "${m.id}" is in quarantine; list it, and write the whole id`,
  },
  STATE_UNKNOWN: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { state: string }) =>
      `"${m.state}" is no state; held, released or upheld (resolve: released or upheld)`,
  },
  ALREADY_RELEASED: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { id: string }) => `"${m.id}" was let in already: rows that are in stay`,
    remedy: 'send a later revision of the row that corrects it',
  },
  ROW_OUTGROWN: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (m: { id: string }) => `"${m.id}" no longer fits its source's columns; ingest a row that does`,
  },
  ANOTHER_WRITER: {
    status: 'ABORTED',
    retriable: true,
    message: (m: { view: string; source: string }) =>
      `another process writes rows of ${m.view}/${m.source}; one feature store at a time owns a model`,
    cause: 'two feature stores run, or one came back after another had taken the lead',
    remedy: 'let one at a time run; the next call goes to the leader',
  },
});
