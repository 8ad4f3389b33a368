/** The world of 2013: no question comes before, or could see, what it is about. */
import { departures } from './data.js';
import { historyDepartures, openWorld, truth } from './flights.js';
import type { Happening } from './world.js';

const minute = 60_000;
const hour = 60 * minute;
const world = openWorld();
const flights = departures();
const right = truth();
const byId = new Map(flights.map((flight) => [flight.flightId, flight]));

type Kind<K extends Happening['kind']> = Extract<Happening, { kind: K }>;
const of = <K extends Happening['kind']>(kind: K): Kind<K>[] =>
  world.happenings.filter((h): h is Kind<K> => h.kind === kind);
const factsOf = (source: string) => of('fact').filter((h) => h.source === source);
const questions = of('question');
const askedAt = new Map(questions.map(({ at, question }) => [question.entityId, at]));

/** The first of those that break a rule, and how many: an empty list where none does. */
const breaches = <T>(all: readonly T[], rule: (one: T) => boolean) => {
  const found = all.filter((one) => !rule(one));
  return found.length ? [found.length, found[0]] : [];
};

describe('the world of 2013', () => {
  it('holds every departure of the files', () => {
    expect(flights.length).toBe(111_279);
    expect(factsOf('schedule').length).toBe(111_279);
    expect(questions.length).toBe(111_279 - historyDepartures);
    expect(questions.length).toBe(97_926);
  });

  it('happens in the order in which it becomes known', () => {
    let last = Number.NEGATIVE_INFINITY;
    const back = world.happenings.filter(({ at }) => {
      const earlier = at < last;
      last = at;
      return earlier;
    });
    expect(back).toEqual([]);
  });

  it('tells each fact when it is known, and none before it happened except the schedule', () => {
    expect(breaches(of('fact'), ({ at, fact }) => fact.knownAt.getTime() === at)).toEqual([]);
    const told = of('fact').filter(({ source }) => source !== 'schedule');
    expect(breaches(told, ({ fact }) => fact.knownAt >= fact.eventTime)).toEqual([]);
    expect(breaches(factsOf('schedule'), ({ at, fact }) => at === fact.eventTime.getTime() - 24 * hour)).toEqual([]);
    expect(breaches(factsOf('weather'), ({ at, fact }) => at === fact.eventTime.getTime() + 52 * minute)).toEqual([]);
  });
});

describe('a question', () => {
  it('is asked an hour ahead, once, with what the schedule says of the flight', () => {
    expect(askedAt.size).toBe(questions.length);
    const rule = ({ at, question: { entityId, id, eventTime, inputs } }: Kind<'question'>) => {
      const flight = byId.get(entityId)!;
      const told = flight.carrier === inputs.carrier && flight.dest === inputs.dest && flight.flight === inputs.flight;
      return told && id === entityId && at === flight.scheduled - hour && eventTime!.getTime() === at;
    };
    expect(breaches(questions, rule)).toEqual([]);
    expect(new Set(questions.map(({ question }) => Object.keys(question.inputs).sort().join()))).toEqual(
      new Set(['carrier,dest,distance,flight,sched_dep_utc']),
    );
  });

  it('comes after the schedule of its flight, and before its own departure and outcome, for every flight of the year', () => {
    const at = (entityId: string) => byId.get(entityId)!.scheduled - hour;
    expect(breaches(factsOf('schedule'), ({ at: known, fact }) => known <= at(fact.entityId))).toEqual([]);
    expect(breaches(factsOf('departed'), ({ at: known, fact }) => known > at(fact.entityId))).toEqual([]);
    expect(breaches(factsOf('arrived'), ({ at: known, fact }) => known > at(fact.entityId))).toEqual([]);
    expect(breaches(of('outcome'), ({ at: known, outcome }) => known > at(outcome.entityId))).toEqual([]);
  });
});

describe('a flight that never arrived', () => {
  const cancelled = flights.filter(({ departureDelay }) => departureDelay === null);
  const unlabelled = flights.filter(({ late }) => late === null);

  it('is scheduled and asked about, but neither departs nor gets an outcome', () => {
    expect([cancelled.length, unlabelled.length]).toEqual([1863, 2200]);
    const departed = new Set(factsOf('departed').map(({ fact }) => fact.entityId));
    const known = new Set(of('outcome').map(({ outcome }) => outcome.entityId));
    expect(cancelled.filter(({ flightId }) => departed.has(flightId))).toEqual([]);
    expect(unlabelled.filter(({ flightId }) => known.has(flightId) || right.has(flightId))).toEqual([]);
    const asked = cancelled.filter(({ flightId }) => askedAt.has(flightId));
    expect(asked.length).toBeGreaterThan(1000);
  });

  it('is the only one: all others depart and get one outcome, the truth', () => {
    expect(factsOf('departed').length).toBe(111_279 - cancelled.length);
    expect(factsOf('arrived').length).toBe(111_279 - unlabelled.length);
    expect(right.size).toBe(111_279 - unlabelled.length);
    const outcomes = of('outcome');
    expect(new Set(outcomes.map(({ outcome }) => outcome.entityId)).size).toBe(outcomes.length);
    expect(breaches(outcomes, ({ outcome }) => right.get(outcome.entityId) === outcome.value)).toEqual([]);
    expect(outcomes.length).toBe(right.size);
  });

  it('keeps to the rule that the spec declares: late is fifteen minutes or more', () => {
    const rule = ({ outcome: { value, attributes } }: Kind<'outcome'>) => {
      const kind = attributes?.arr_delay?.kind;
      return kind?.$case === 'number' && (kind.value >= 15 ? 1 : 0) === value;
    };
    expect(breaches(of('outcome'), rule)).toEqual([]);
  });
});
