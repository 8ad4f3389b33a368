import { parseModelSpec } from '@driftloop/contracts';
import { awkwardSpec, hour } from '../testing/awkward.js';
import { planOf } from './plan.js';
import { stalenessOf } from './staleness.js';

const plan = planOf(parseModelSpec(awkwardSpec));
const asked = 100 * hour;
const of = (reached: Record<string, number>) => stalenessOf(plan, asked, (source) => reached[source], 6 * hour);
const all = { plan: asked, seen: asked, air: asked, outcomes: asked };

describe('the staleness of features', () => {
  it('is none where every source has come to the question, or further', () => {
    expect(of({ ...all, air: asked + hour })).toEqual({ behindMs: 0, stale: [] });
  });

  it('says how far the slowest source is behind, and flags nothing within its silence', () => {
    expect(of({ ...all, seen: asked - 2 * hour, air: asked - 6 * hour })).toEqual({ behindMs: 6 * hour, stale: [] });
  });

  it('flags what leans on a source that is further behind, and nothing else', () => {
    expect(of({ ...all, air: asked - 6 * hour - 1 }).stale).toEqual(['dust', 'noise']);
    const { stale } = of({ ...all, seen: asked - 7 * hour });
    // What is overdue rests on those that have shown up, too.
    expect(stale).toEqual(expect.arrayContaining(['wait_3h', 'seen_3h', 'overdue_4h']));
    expect(stale.filter((name) => /^(bad|known|dust|noise|region|size|hour|day)/.test(name))).toEqual([]);
  });

  it('flags what leans on a source that has never spoken, though nobody knows how far that is behind', () => {
    const { air: _, ...rest } = all;
    expect(of(rest)).toEqual({ behindMs: 0, stale: ['dust', 'noise'] });
  });
});
