import { compareDecisions, decision } from './decisions.js';

const at = (kind: string, outcome: string, time = 1000, subject = 'x') => decision({ kind, outcome, subject, time });
const names = (all: ReturnType<typeof at>[]) => all.map(({ kind, outcome }) => `${kind} ${outcome}`);

describe('the order of decisions', () => {
  it('is that of event time, whatever was decided', () => {
    expect(compareDecisions(at('cycle.opened', 'retrain', 1), at('gate', 'approved', 2))).toBeLessThan(0);
  });

  it.each([
    ['a candidate that enters its trial', ['gate approved', 'stage shadow']],
    ['a candidate that is refused', ['gate refused', 'cycle.closed refused']],
    ['a first version', ['gate approved', 'alias promoted', 'cycle.closed promoted']],
    ['a trial that outlives its deadline', ['judgement roll_back', 'cycle.closed expired', 'breaker opened']],
    ['a person who promotes another version', ['alias promoted', 'alias superseded', 'cycle.closed superseded']],
    ['a loop that goes on', ['hold resumed', 'signal drift', 'cycle.opened retrain']],
    ['a trial that learned from bad days', ['quarantine held', 'judgement roll_back']],
  ])('puts causes before effects within an instant: %s', (_what, expected) => {
    const all = expected.map((name) => at(...(name.split(' ') as [string, string])));
    expect(names([...all].reverse().sort(compareDecisions))).toEqual(expected);
  });

  it('is total: by id within a rank, and the same from any arrangement; unknown kinds stand last', () => {
    const gates = ['a', 'b', 'c', 'd'].map((subject) => at('gate', 'approved', 1000, subject));
    const all = [...gates, at('later', 'thing'), at('cycle.opened', 'retrain')];
    const ordered = [...all].sort(compareDecisions);
    expect(ordered.slice(0, 4).map(({ id }) => id)).toEqual(gates.map(({ id }) => id).sort());
    expect(names(ordered).slice(4)).toEqual(['cycle.opened retrain', 'later thing']);
    for (const [i] of all.entries()) {
      const turned = [...all.slice(i), ...all.slice(0, i)];
      for (const arrangement of [turned, [...turned].reverse()])
        expect(arrangement.sort(compareDecisions)).toEqual(ordered);
    }
  });
});
