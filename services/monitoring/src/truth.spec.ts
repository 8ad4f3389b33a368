import { truthAt } from './truth.js';

const hour = 3_600_000;
const due = 100 * hour;
const label = (entityId: string, ...knownAt: number[]) => ({
  ...{ _id: entityId, series: 'main/parcels.late', entityId, entityTime: due },
  revisions: knownAt.map((at, i) => ({ knownAt: at, value: 1, revision: i + 1, source: 'depot' })),
});

describe('labels as they were known', () => {
  it('leave out one that was known by its question: it is no truth about the answer, whatever revisions follow', () => {
    const labels = [label('in time', due - hour + 1), label('early', due - hour), label('revised', 0, due + hour)];
    const { values, known, knownOf } = truthAt(labels, due + 2 * hour, hour);
    expect([...values.keys()]).toEqual([`in time@${due}`]);
    expect(known).toEqual([[due, 1]]);
    expect(knownOf).toEqual([{ source: 'depot', known: [[due, 1]] }]);
  });
});
