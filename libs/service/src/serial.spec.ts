import { Serial } from './serial.js';

const full = (limit: number) => new Error(`${limit} wait already`);

describe('a line of work', () => {
  it('runs one at a time, in order, also after one that failed', async () => {
    const line = new Serial(10, full);
    const done: number[] = [];
    const work = (n: number) => async () => {
      await new Promise((resolve) => setImmediate(resolve));
      done.push(n);
      if (n === 1) throw new Error('no');
      return n;
    };
    const all = await Promise.allSettled([0, 1, 2].map((n) => line.run(work(n))));
    expect(all.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(done).toEqual([0, 1, 2]);
  });

  it('refuses what is more than its limit, and takes more again once there is room', async () => {
    const line = new Serial(2, full);
    let release: (value: string) => void = () => {};
    const first = line.run(() => new Promise<string>((resolve) => (release = resolve)));
    const second = line.run(async () => 'second');
    await expect(line.run(async () => 'third')).rejects.toThrow('2 wait already');
    await Promise.resolve();
    release('first');
    expect(await Promise.all([first, second])).toEqual(['first', 'second']);
    expect(await line.run(async () => 'again')).toBe('again');
  });

  it('lets go at once of one whose asker has gone, never runs it, and ends what has begun', async () => {
    const line = new Serial(3, full);
    let release: (value: string) => void = () => {};
    const gone = new AbortController();
    const done: string[] = [];
    const first = line.run(() => new Promise<string>((resolve) => (release = resolve)), gone.signal);
    const second = line.run(async () => done.push('second'), gone.signal);
    const third = line.run(async () => done.push('third'));
    await Promise.resolve();
    gone.abort(new Error('gone'));
    await expect(second).rejects.toThrow('gone');
    expect(line.state.depth).toBe(2);
    await expect(line.run(async () => done.push('late'), gone.signal)).rejects.toThrow('gone');
    release('first');
    expect(await first).toBe('first');
    await third;
    expect(done).toEqual(['third']);
  });
});
