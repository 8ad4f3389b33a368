import { Random } from '@driftloop/algorithms';
import { derivedInputs, partOf } from './derived.js';
import { ZoneClock } from './zone-clock.js';

const zones = ['UTC', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Africa/Casablanca'];

/** The same by Intl, slowly. */
function formatted(zone: string, ms: number) {
  const options = { timeZone: zone, hourCycle: 'h23', weekday: 'short', hour: 'numeric', minute: 'numeric' } as const;
  const parts = new Intl.DateTimeFormat('en-US', options).formatToParts(ms);
  const part = (type: string) => parts.find((p) => p.type === type)!.value;
  return {
    minuteOfDay: Number(part('hour')) * 60 + Number(part('minute')),
    hourOfDay: Number(part('hour')),
    dayOfWeek: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(part('weekday')),
  };
}

describe('the clock of a zone', () => {
  it.each(zones)('tells local time in %s as Intl does', (zone) => {
    const random = new Random(zone);
    const parts = ['minuteOfDay', 'hourOfDay', 'dayOfWeek'] as const;
    const clock = new ZoneClock(zone);
    for (let i = 0; i < 300; i++) {
      const ms = Math.floor(random.uniform(Date.UTC(1969, 0), Date.UTC(2035, 0)));
      const told = parts.map((part) => [part, partOf({ name: part, from: 'time', part, clock }, ms)]);
      expect([ms, Object.fromEntries(told)]).toEqual([ms, formatted(zone, ms)]);
    }
  });

  it('changes to daylight saving at the very millisecond', () => {
    const clock = new ZoneClock('America/New_York');
    const change = Date.UTC(2013, 2, 10, 7);
    expect([clock.offsetAt(change - 1), clock.offsetAt(change)]).toEqual([-5 * 3_600_000, -4 * 3_600_000]);
  });

  it('lists the changes of a range once each', () => {
    const changes = new ZoneClock('America/New_York').changes(Date.UTC(2012, 6), Date.UTC(2014, 0));
    const inRange = changes.filter(({ fromMs }) => fromMs > Date.UTC(2012, 6) && fromMs < Date.UTC(2014, 0));
    expect(inRange.map(({ fromMs }) => new Date(fromMs).toISOString().slice(0, 13))).toEqual([
      '2012-11-04T06',
      '2013-03-10T07',
      '2013-11-03T06',
    ]);
  });

  it('refuses a zone that is not known', () => {
    expect(() => new ZoneClock('Mars/Olympus')).toThrow(RangeError);
    expect(derivedInputs({ spec: { derived: {} } } as never).size).toBe(0);
  });
});
