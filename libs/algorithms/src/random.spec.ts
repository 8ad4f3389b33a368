import { Random } from './random.js';

describe('Random', () => {
  it('gives the same numbers for the same seed, and others for another', () => {
    const draw = (seed: number | string): number[] =>
      Array.from(
        { length: 5 },
        (
          (r) => () =>
            r.uniform()
        )(new Random(seed)),
      );
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw('flights')).toEqual(draw('flights'));
  });

  it('goes on from its state as if never stopped', () => {
    const random = new Random(3);
    random.normal();
    const twin = Random.fromState(JSON.parse(JSON.stringify(random.toState())));
    expect([random.uniform(), random.integer(10)]).toEqual([twin.uniform(), twin.integer(10)]);
  });

  it('forks by name without moving the parent', () => {
    const random = new Random(3);
    const before = random.toState();
    const [a, b] = [random.fork('a').uniform(), random.fork('b').uniform()];
    expect(a).not.toBe(b);
    expect(random.fork('a').uniform()).toBe(a);
    expect(random.toState()).toEqual(before);
  });

  it('draws uniforms, normals and integers with the right moments', () => {
    const random = new Random(11);
    const n = 100_000;
    let [u, z, zz] = [0, 0, 0];
    const faces = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      u += random.uniform();
      const x = random.normal();
      z += x;
      zz += x * x;
      faces[random.integer(6)]++;
    }
    expect(Math.abs(u / n - 0.5)).toBeLessThan(0.005);
    expect(Math.abs(z / n)).toBeLessThan(0.015);
    expect(Math.abs(zz / n - 1)).toBeLessThan(0.03);
    for (const count of faces) expect(Math.abs(count / n - 1 / 6)).toBeLessThan(0.006);
  });

  it('shuffles fairly and keeps every item', () => {
    const random = new Random(5);
    const firsts = [0, 0, 0];
    for (let i = 0; i < 30_000; i++) firsts[random.shuffle([0, 1, 2])[0]]++;
    for (const count of firsts) expect(Math.abs(count / 30_000 - 1 / 3)).toBeLessThan(0.015);
    expect([...random.shuffle(Float64Array.of(1, 2, 3, 4))].sort()).toEqual([1, 2, 3, 4]);
  });
});
