/** The worlds of the second and third stream: nothing is known before it can be, and of what is asked nothing is known. */
import type { Happening, World } from '../world.js';
import * as bikeSharing from './bike-sharing.js';
import * as elec2 from './elec2.js';
import { findData, needData } from './files.js';

const minute = 60_000;
const hour = 60 * minute;

describe('a data file that is not there', () => {
  it('is asked for by name, with what to do', () => {
    expect(findData('nothing.csv')).toBeUndefined();
    expect(() => needData('nothing.csv')).toThrow(/nothing\.csv is not there: .*DRIFTLOOP_DATA/);
  });
});

const streams = [
  { ...elec2, rows: 45_312, asked: 39_875, lead: 0, period: 30 * minute, metered: 'meters', settled: 'settlement' },
  { ...bikeSharing, rows: 17_379, asked: 15_294, lead: hour, period: hour, metered: 'weather', settled: 'rentals' },
];

for (const stream of streams) {
  const { model, file, rows, asked, lead, period, metered, settled } = stream;
  const absent = findData(file) ? '' : ` (skipped: ${file} is not there; name its folder in DRIFTLOOP_DATA)`;
  (absent ? describe.skip : describe)(`the world of ${model}${absent}`, () => {
    type Kind<K extends Happening['kind']> = Extract<Happening, { kind: K }>;
    let world: World;
    const of = <K extends Happening['kind']>(kind: K): Kind<K>[] =>
      world.happenings.filter((h): h is Kind<K> => h.kind === kind);
    const factsOf = (source: string) => of('fact').filter((h) => h.source === source);
    beforeAll(() => {
      world = stream.openWorld();
    });

    it('holds every row of the file, and asks about all after the first 12%', () => {
      expect(factsOf('calendar').length).toBe(rows);
      expect(of('outcome').length).toBe(rows);
      expect(of('question').length).toBe(asked);
      expect(stream.truth().size).toBe(rows);
    });

    it('happens in the order in which it becomes known', () => {
      expect(world.happenings.every(({ at }, i) => i === 0 || at >= world.happenings[i - 1].at)).toBe(true);
    });

    it('knows of a period what was metered when it has ended, and what was settled a day later, as its label', () => {
      const starts = new Map(
        of('outcome').map(({ at, outcome }) => [outcome.entityId, [outcome.entityTime!.getTime(), at]]),
      );
      const known = (source: string) =>
        factsOf(source).map(({ at, fact }) => at - starts.get(fact.entityId)![0] - period);
      expect(new Set(known(metered))).toEqual(new Set([0]));
      expect(new Set(known(settled))).toEqual(new Set([24 * hour]));
      expect(new Set([...starts.values()].map(([start, at]) => at - start))).toEqual(new Set([24 * hour + period]));
    });

    it('asks before the period begins, and gives the question nothing that was not known a day ahead', () => {
      const ahead = new Map(factsOf('calendar').map(({ at, fact }) => [fact.entityId, { at, values: fact.values }]));
      const early = of('question').filter(({ at, question }) => {
        const { starts_at, ...inputs } = question.inputs as { starts_at: Date } & Record<string, unknown>;
        const plan = ahead.get(question.entityId)!;
        const same = JSON.stringify(inputs) === JSON.stringify(plan.values);
        return same && at === starts_at.getTime() - lead && at >= plan.at;
      });
      expect(early.length).toBe(asked);
    });
  });
}
