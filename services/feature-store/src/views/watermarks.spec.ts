import { Watermarks } from './watermarks.js';

const hour = 3_600_000;
const somebody = { caller: 'somebody' };
const open = () => new Watermarks((source) => (source === 'outcomes' ? 2 : 1), 6 * hour);

describe('watermarks', () => {
  it('hold nobody back before anybody has promised', async () => {
    const watermarks = open();
    expect(watermarks.now()).toBeUndefined();
    await watermarks.wait(hour, 60_000, somebody);
    expect(watermarks.reached(hour)).toBe(true);
  });

  it('are the lowest of the sources that promised, and never fall', () => {
    const watermarks = open();
    watermarks.advance('weather', 0, 3 * hour);
    watermarks.advance('departed', 0, 5 * hour);
    watermarks.advance('weather', 0, 2 * hour);
    expect(watermarks.now()).toBe(3 * hour);
    expect(watermarks.reached(4 * hour)).toBe(false);
  });

  it('count for a source in parts once every part has them', () => {
    const watermarks = open();
    watermarks.advance('outcomes', 0, 4 * hour);
    expect(watermarks.reached(hour)).toBe(false);
    watermarks.advance('outcomes', 1, 3 * hour);
    expect(watermarks.now()).toBe(3 * hour);
  });

  it('are no longer held back by a source that lags by more than the declared silence', () => {
    const watermarks = open();
    watermarks.advance('weather', 0, hour);
    watermarks.advance('departed', 0, 7 * hour);
    expect(watermarks.now()).toBe(hour);
    watermarks.advance('departed', 0, 7 * hour + 1);
    expect(watermarks.now()).toBe(7 * hour + 1);
  });

  it('wake those who wait when they are reached, and only then', async () => {
    const watermarks = open();
    watermarks.advance('departed', 0, hour);
    const woken: string[] = [];
    const early = watermarks.wait(2 * hour, 60_000, somebody).then(() => woken.push('early'));
    const late = watermarks.wait(4 * hour, 30, somebody).then(() => woken.push('late'));
    watermarks.advance('departed', 0, 2 * hour);
    await early;
    expect(woken).toEqual(['early']);
    await late;
    expect(watermarks.reached(4 * hour)).toBe(false);
  });

  it('let go of those who have gone at once, and keep nobody else out for them', async () => {
    const watermarks = open();
    watermarks.advance('departed', 0, hour);
    const gone = new AbortController();
    const waits = (n: number, asker: { caller: string; signal?: AbortSignal }) =>
      Array.from({ length: n }, () => watermarks.wait(9 * hour, 60_000, asker));
    const abandoned = waits(250, { caller: 'abandoner', signal: gone.signal });
    await expect(watermarks.wait(9 * hour, 60_000, { caller: 'abandoner' })).rejects.toMatchObject({
      code: 'TOO_MANY_WAITING',
      retriable: true,
    });
    const other = waits(1, somebody);
    expect(watermarks.waiting).toBe(251);
    gone.abort();
    await Promise.all(abandoned);
    expect(watermarks.waiting).toBe(1);
    watermarks.advance('departed', 0, 9 * hour);
    await Promise.all(other);
    expect(watermarks.waiting).toBe(0);
  });
});
