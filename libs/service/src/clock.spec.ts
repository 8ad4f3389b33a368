import { usualMaxGapMs, WallClock } from './clock.js';

const start = Date.UTC(2026, 2, 1);
const [second, day, year] = [1000, 86_400_000, 365 * 86_400_000];

/** The machine's clocks, set by hand. */
class Scripted {
  at = start;
  ran = 0;
  wall = () => this.at;
  monotonic = () => this.ran;

  /** Time passes by both clocks. */
  pass(ms: number): void {
    this.at += ms;
    this.ran += ms;
  }
}

describe('the wall clock', () => {
  let machine: Scripted;
  let clock: WallClock;
  beforeEach(() => {
    machine = new Scripted();
    clock = new WallClock(machine);
  });

  it.each([10 * year, -40 * year])(
    'goes on from where it was while the wall is wrong by %d ms for four seconds',
    (wrong) => {
      machine.pass(second);
      machine.at += wrong;
      const during = Array.from({ length: 5 }, () => {
        const [now, jump] = [clock.now(), clock.jumpMs];
        machine.pass(second);
        return [now - start, jump];
      });
      expect(during).toEqual([1, 2, 3, 4, 5].map((n) => [n * second, wrong]));
      machine.at -= wrong;
      expect([clock.now() - start, clock.jumpMs]).toEqual([6 * second, 0]);
    },
  );

  it('believes a machine that slept for three days, and a clock that is set right', () => {
    machine.at += 3 * day;
    expect([clock.now(), clock.jumpMs]).toEqual([start + 3 * day, 0]);
    machine.at -= 3600 * second;
    expect([clock.now(), clock.jumpMs]).toEqual([machine.at, 0]);
  });

  it('believes what wanders off slowly, however far', () => {
    for (let n = 0; n < 100; n++) {
      machine.ran += day;
      machine.at += day + 3600 * second;
      expect(clock.now()).toBe(machine.at);
    }
  });

  it('believes any wall once somebody has accepted it, and doubts the next jump again', () => {
    machine.at += year;
    expect(clock.now()).toBe(start);
    clock.accept();
    machine.pass(second);
    expect([clock.now(), clock.jumpMs]).toEqual([start + year + second, 0]);
    machine.at += usualMaxGapMs + 1;
    expect(clock.now()).toBe(start + year + second);
  });

  it('tells once that the wall is not believed, and once that it is again', () => {
    const told: number[] = [];
    clock.whenDoubted((jump) => told.push(jump));
    const read = () => Array.from({ length: 3 }, () => clock.now());
    read();
    machine.at += year;
    read();
    machine.at -= year;
    read();
    expect(told).toEqual([year, 0]);
  });

  it('says what the wall says to those whose deadlines were computed by it', () => {
    machine.at += 10 * year;
    expect([clock.wall(), clock.now()]).toEqual([start + 10 * year, start]);
  });
});
