import { Random } from '@driftloop/algorithms';
import { type Retraction, Series } from './series.js';

interface Known {
  time: number;
  value: number;
  /** When a newer revision became known. */
  until?: number;
}

const lanes = (value: number) => Float64Array.of(1, value);

/** Sum and count over (from, t], the slow way. */
function slow(facts: readonly Known[], from: number, t: number): [number, number] {
  const counted = facts.filter(({ time, until }) => time > from && time <= t && !(until !== undefined && until <= t));
  return [counted.length, counted.reduce((sum, { value }) => sum + value, 0)];
}

function fast(series: Series, from: number, t: number): [number, number] {
  const [low, high] = [series.countAt(from), series.countAt(t)];
  return [series.sum(0, low, high, from, t), series.sum(1, low, high, from, t)];
}

function randomFacts(random: Random, count: number): Known[] {
  return Array.from({ length: count }, () => {
    const time = random.integer(200);
    const until = random.uniform() < 0.2 ? time + 1 + random.integer(30) : undefined;
    return { time, value: random.integer(100) - 50, until };
  });
}

const retraction = ({ time, value, until }: Known): Retraction => ({ time, at: until!, lanes: lanes(value) });

function load(series: Series, facts: readonly Known[], random: Random): void {
  const left = [...facts];
  while (left.length) {
    const batch = left.splice(0, 1 + random.integer(20));
    series.add(batch.map(({ time, value }) => ({ time, lanes: lanes(value) })));
    for (const fact of batch) if (fact.until !== undefined) series.retract(retraction(fact));
  }
}

describe('a series of facts', () => {
  const random = new Random(11);

  it('sums any window ending at any time, whatever the order and the batches', () => {
    const facts = randomFacts(random, 400);
    const series = new Series(2);
    load(series, facts, random);
    for (let i = 0; i < 500; i++) {
      const t = random.integer(240);
      const from = t - random.integer(100);
      expect(fast(series, from, t)).toEqual(slow(facts, from, t));
    }
  });

  it('keeps no sums of lanes to which nothing was added, and begins them where something is', () => {
    const series = new Series(3);
    for (let time = 0; time < 100; time++) series.add([{ time, lanes: Float64Array.of(1, 0, 0) }]);
    expect([series.lanesUsed, series.sum(1, 0, 100, -1, 99)]).toEqual([1, 0]);
    series.add([{ time: 50, lanes: Float64Array.of(1, 0, 7) }]);
    expect([series.lanesUsed, series.sum(2, 0, 101, -1, 99), series.sum(2, 0, 50, -1, 49)]).toEqual([2, 7, 0]);
    expect(series.remove({ time: 50, lanes: Float64Array.of(1, 0, 7) })).toBe(true);
    expect(series.sum(2, 0, 100, -1, 99)).toBe(0);
  });

  it('takes facts back as if they had never come', () => {
    const facts = randomFacts(random, 200);
    const series = new Series(2);
    load(series, facts, random);
    const gone = facts.filter((_, i) => i % 3 === 0);
    for (const fact of gone) {
      expect(series.remove({ time: fact.time, lanes: lanes(fact.value) })).toBe(true);
      if (fact.until !== undefined) series.restore(retraction(fact));
    }
    const left = facts.filter((_, i) => i % 3 !== 0);
    for (let t = 0; t < 240; t += 7) expect(fast(series, t - 50, t)).toEqual(slow(left, t - 50, t));
    expect(series.remove({ time: 999, lanes: lanes(1) })).toBe(false);
  });

  it('answers windows after the horizon the same when what came before it is forgotten', () => {
    const facts = randomFacts(random, 300);
    const series = new Series(2);
    load(series, facts, random);
    series.trim(100);
    expect(series.size).toBe(facts.filter(({ time }) => time >= 100).length);
    for (let t = 150; t < 240; t += 3) expect(fast(series, t - 50, t)).toEqual(slow(facts, t - 50, t));
    series.add([{ time: 130, lanes: lanes(7) }]);
    expect(fast(series, 129, 130)[1]).toBe(slow([...facts, { time: 130, value: 7 }], 129, 130)[1]);
  });
});
