import { readOptions } from './options.js';

describe('the options of chaos', () => {
  it('are two of each service, killed, stopped and told again, where nothing is said', () => {
    expect(readOptions([])).toMatchObject({ seed: 1, replicas: 2, kills: 2, stops: 4, repeats: 3, servers: undefined });
  });

  it('take whole numbers, also none of a kind of disturbance', () => {
    expect(readOptions(['--seed', '7', '--kills', '0', '--away', '100'])).toMatchObject({
      seed: 7,
      kills: 0,
      away: 100,
    });
  });

  it.each([
    [['--kills', 'often'], '--kills often: write a whole number from 0 on'],
    [['--stops', ''], '--stops : write a whole number from 0 on'],
    [['--repeats', '-1.5'], "Option '--repeats' argument is ambiguous"],
    [['--replicas', '0'], '--replicas 0: write a whole number from 1 on'],
    [['--servers', '/nowhere'], '--servers /nowhere: has no up'],
    [['--world', '/nowhere.js'], '--world /nowhere.js: there is no such file'],
    [['--kill', '3'], "Unknown option '--kill'"],
  ])('are refused where they are wrong: %j', (args, problem) => {
    expect(() => readOptions(args)).toThrow(problem);
  });

  it('are none where help is asked for', () => {
    expect(readOptions(['--help'])).toBeUndefined();
  });
});
