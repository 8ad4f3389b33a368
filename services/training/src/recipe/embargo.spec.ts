import type { ModelSpec } from '@driftloop/contracts';
import { DAY, START, tableOf } from '../testing/table.js';
import { parcels } from '../testing/training.js';
import { chooseEmbargo } from './embargo.js';

const HOUR = 3_600_000;
// parcels: 4 to 8 days, 400 rows, closed 6 h after the day's end, asked 1 h ahead.
const spec = parcels();
const with500 = (text: string): ModelSpec => parcels(['minRows: 400', text]);
const table = tableOf({ days: 30, perDay: 200, delay: 2 * HOUR });
const at = (days: number) => START + days * DAY;
const days = (knowledge: number, champion?: number, of = spec) =>
  chooseEmbargo(table, of, { knowledge, champion }).days.map((day) => (day - START) / DAY);

describe('the embargo', () => {
  it('is the newest days that ended long enough before the cutoff', () => {
    expect(days(at(20) + 6 * HOUR)).toEqual([16, 17, 18, 19]);
    expect(days(at(20) + 6 * HOUR - 1)).toEqual([15, 16, 17, 18]);
  });

  it('takes more days where the fewest hold too few rows, and never more than allowed', () => {
    expect(days(at(21), undefined, with500('minRows: 1001'))).toEqual([14, 15, 16, 17, 18, 19]);
    expect(() => days(at(21), undefined, with500('minRows: 1601'))).toThrow(
      expect.objectContaining({
        code: 'INSUFFICIENT_DATA',
        message: expect.stringContaining('1600 labelled rows on 8 closed days'),
      }),
    );
  });

  it('begins with nothing that the champion may have learned from', () => {
    expect(days(at(21), at(16))).toEqual([16, 17, 18, 19]);
    expect(() => days(at(21), at(16) + 1)).toThrow(expect.objectContaining({ code: 'INSUFFICIENT_DATA' }));
  });

  it('leaves the twin only labels that were known before the first embargoed question', () => {
    const { start, rows, twinRows } = chooseEmbargo(table, spec, { knowledge: at(21), champion: undefined });
    expect(start).toBe(at(16));
    const latest = Math.max(...Array.from(twinRows, (row) => table.knownAt[row]));
    expect(latest).toBeLessThanOrEqual(at(16) - HOUR);
    expect(latest).toBeGreaterThan(at(16) - 2 * HOUR);
    expect(Math.min(...rows)).toBeGreaterThan(Math.max(...twinRows));
    expect(rows).toHaveLength(4 * 200);
  });

  it('says so when too little is left before it', () => {
    const few = tableOf({ days: 6, perDay: 200, delay: 2 * HOUR });
    expect(() => chooseEmbargo(few, spec, { knowledge: at(7), champion: undefined })).toThrow(/before the embargo/);
  });
});
