/** What can be wrong with a report of outcomes. */
import { catalogue } from '@driftloop/contracts';

/** In a message: the first few. */
const shown = 10;

function listed(rejected: readonly { index: number; reason: string }[]): string {
  const first = rejected.slice(0, shown).map(({ index, reason }) => `[${index}] ${reason}`);
  return first.join('; ') + (rejected.length > shown ? `; and ${rejected.length - shown} more` : '');
}

export const errors = catalogue('labeling', {
  UNKNOWN_LABEL: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { label: string; known: string[] }) =>
      `no model declares the label "${m.label}"; declared: ${m.known.join(', ') || 'none'} (apply the model first)`,
  },
  TOO_MANY_OUTCOMES: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: false,
    message: (m: { rows: number; limit: number }) =>
      `${m.rows} outcomes in one request; send at most ${m.limit}, or use StreamOutcomes with batches of that size`,
  },
  WATERMARK_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { label: string }) =>
      `the watermark of "${m.label}" is not a time between 1900 and 2200; send the time up to which all is reported`,
  },
  WATERMARK_AHEAD: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { label: string; watermark: string; latest: string; advice: string }) =>
      `the watermark of "${m.label}" is ${m.watermark}, and nothing can be known yet after ${m.latest}: ${m.advice}`,
    remedy: 'promise no later than what the message names; in a replay go there in steps',
  },
  LABELS_NOT_DECLARED: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { model: string }) => `no model "${m.model}" has declared a label; apply its spec first`,
  },
  REPORT_EMPTY: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { label: string }) =>
      `the report on "${m.label}" has neither outcomes nor a watermark; send "outcomes": [{"entityId", "entityTime", "knownAt", "value"}]`,
  },
  OUTCOMES_REFUSED: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (m: { label: string; outcomes: number; rejected: readonly { index: number; reason: string }[] }) =>
      `${m.rejected.length} of ${m.outcomes} outcomes of "${m.label}" are malformed, the rest is recorded: ${listed(m.rejected)}`,
    remedy: 'mend the outcomes that are named, and send them again',
  },
  TOO_BUSY: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: true,
    message: (m: { label: string; limit: number }) =>
      `${m.limit} requests with outcomes of "${m.label}" are waiting already; try again shortly, with larger batches`,
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
    message: (m: { id: string }) =>
      `"${m.id}" was let in already: a label that was told stays; report a revision instead`,
  },
  JOURNAL_BUSY: {
    status: 'ABORTED',
    retriable: true,
    message: (m: { label: string }) =>
      `another writer recorded outcomes of "${m.label}" at the same time; send it again`,
  },
});
