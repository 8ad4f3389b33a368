/** A spec's features as columns, and what is said of those that cannot be. */
import { featureColumns } from './features.js';
import { parseModelSpec } from './parse.js';

const specWith = (feature: string) => `
apiVersion: driftloop/v1
kind: Model
metadata: { name: visits }
spec:
  task: binary
  entity: { name: visit, time: planned }
  question: { lead: 2h }
  request: { inputs: { region: text, planned: time }, source: plan }
  sources: { plan: { columns: { region: text } }, seen: { columns: { wait: number } } }
  features: [${feature}]
  label: { name: bad, closeAfter: 12h, censorAfter: 48h }
`;
const window = (more: string) => specWith(`{ window: seen, of: wait, as: wait, ${more} }`);
const hour = 3_600_000;

describe('a window feature', () => {
  it('is a column a window', () => {
    const columns = featureColumns(parseModelSpec(window('aggregate: mean, by: region, over: [3h, 1d]')));
    expect(columns).toMatchObject([
      { name: 'wait_by_region_3h', windowMs: 3 * hour, againstMs: undefined },
      { name: 'wait_by_region_1d', windowMs: 24 * hour, againstMs: undefined },
    ]);
  });

  it('may be told against what is usual over a longer window', () => {
    const [column] = featureColumns(parseModelSpec(window('aggregate: mean, over: [3h], against: 7d')));
    expect(column).toMatchObject({ name: 'wait_3h_against_7d', windowMs: 3 * hour, againstMs: 168 * hour });
  });

  it('is not compared with a window that is no longer, nor counted against one', () => {
    expect(() => parseModelSpec(window('aggregate: mean, over: [3h, 2d], against: 48h'))).toThrow(
      /features\.0\.against.*"48h" must be longer than the window "2d"/s,
    );
    expect(() => parseModelSpec(window('aggregate: count, over: [3h], against: 48h'))).toThrow(
      /features\.0\.against.*counts/s,
    );
  });
});
