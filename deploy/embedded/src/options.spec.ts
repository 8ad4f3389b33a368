import { flightsWorld } from '@driftloop/flights';
import { readOptions } from './options.js';

describe('the options of npm start', () => {
  it('walk the flights to the end and stay up, unless told otherwise', () => {
    const usual = { once: false, until: undefined, json: undefined, world: flightsWorld.href };
    const none = { ...usual, processes: false, attach: false, help: false, version: false };
    expect(readOptions([])).toEqual(none);
    expect(readOptions(['--once', '--until', '2013-04-01'])).toEqual({
      ...none,
      once: true,
      until: Date.UTC(2013, 3, 1),
    });
    expect(readOptions(['--processes'])).toEqual({ ...none, processes: true });
    expect(readOptions(['--version'])).toEqual({ ...none, version: true });
    expect(readOptions(['--attach'])).toEqual({ ...none, attach: true });
  });

  it.each([
    [['--attach', '--processes'], /--attach, --processes: .* leave one of them out/],
    [['--untill', '2013-02-20'], /--untill/],
    [['2013-02-20'], /2013-02-20/],
    [['--until', 'spring'], /--until spring: write a date, such as 2013-04-01/],
    [['--json', '/nowhere/run.json'], /--json \/nowhere\/run\.json: cannot be written/],
    [['--world', 'nowhere.js'], /--world nowhere\.js: there is no such file/],
  ])('refuse %j, and say why', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});
