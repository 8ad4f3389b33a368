/**
 * What a training set leaves out: labels whose entity time lies in a stretch that is held in quarantine, of its source.
 *
 * Only the rows to be learned from are left out. Features that were computed from such labels stay as they were: the
 * model was asked with them, and offline and online remain one definition.
 */
import { isEventTime, type QuarantineWindow } from '@driftloop/contracts';
import { type Duck, literal } from '../duckdb.js';
import { errors } from '../errors.js';

const windowLimit = 1000;

/** Whether a label `l` (t: its entity time, source) is left out, as SQL. Throws WINDOW_INVALID, BATCH_TOO_LARGE. */
export function excludedSql(windows: readonly QuarantineWindow[]): string {
  if (windows.length > windowLimit) throw errors.BATCH_TOO_LARGE({ rows: windows.length, limit: windowLimit });
  const cases = windows.map(({ start, end, source }, i) => {
    if (!isEventTime(start) || !isEventTime(end) || !(start < end)) throw errors.WINDOW_INVALID({ window: i });
    const own = source ? ` AND coalesce(l.source, '') = ${literal(source)}` : '';
    return `(l.t >= ${start.getTime()} AND l.t < ${end.getTime()}${own})`;
  });
  return cases.join(' OR ') || 'false';
}

/** How many rows were left out of the set that has been joined. */
export async function excludedRows(duck: Duck): Promise<number> {
  const [{ n }] = await duck.rows<{ n: number }>('SELECT count(*)::DOUBLE AS n FROM asked WHERE left_out');
  return n;
}
