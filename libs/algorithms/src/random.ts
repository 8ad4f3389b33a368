/**
 * The seeded generator that every algorithm here is given: nothing in this package calls Math.random().
 * xoshiro128** (Blackman & Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 2021), its four words filled by
 * SplitMix32 so that near seeds give unrelated streams. Same seed, same numbers, on every machine (32-bit integer arithmetic);
 * `normal` goes through Math.log and Math.cos and is promised for one Node version only.
 *
 * @example
 * const random = new Random(7);
 * random.uniform();              // in [0, 1)
 * random.fork('rows').uniform(); // an independent stream, the parent undisturbed
 */
export interface RandomState {
  readonly words: readonly [number, number, number, number];
}

const rotl = (x: number, k: number): number => ((x << k) | (x >>> (32 - k))) >>> 0;

/** SplitMix32: a bijective mixer of a Weyl sequence; returns the next word and its new counter. */
function* splitmix(seed: number): Generator<number, never> {
  let counter = seed >>> 0;
  for (;;) {
    counter = (counter + 0x9e3779b9) >>> 0;
    let z = counter;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    yield (z ^ (z >>> 15)) >>> 0;
  }
}

/** FNV-1a over UTF-16 code units: turns a label or a numeric seed into 32 bits. */
function hash32(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

export class Random {
  #s: [number, number, number, number];

  /** @param seed any finite number (its decimal text is hashed when it is no 32-bit integer) or a string. */
  constructor(seed: number | string) {
    const small = typeof seed === 'number' && Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff;
    const words = splitmix(small ? (seed as number) : hash32(String(seed)));
    this.#s = [words.next().value, words.next().value, words.next().value, words.next().value];
  }

  /** The next 32 random bits as an unsigned integer. */
  word(): number {
    const s = this.#s;
    const result = Math.imul(rotl(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11);
    return result;
  }

  /** Uniform on [0, 1) with 53 bits; with arguments, uniform on [low, high). */
  uniform(low = 0, high = 1): number {
    const u = ((this.word() >>> 5) * 67108864 + (this.word() >>> 6)) / 9007199254740992;
    return low + (high - low) * u;
  }

  /** Uniform on the integers 0 … n − 1, by rejection, so without modulo bias; 1 ≤ n ≤ 2³². */
  integer(n: number): number {
    const limit = 4294967296 - (4294967296 % n);
    for (;;) {
      const w = this.word();
      if (w < limit) return w % n;
    }
  }

  /** A normal deviate (Box–Muller; the second of the pair is dropped, so that the state stays four words). */
  normal(mean = 0, sd = 1): number {
    const u = 1 - this.uniform();
    return mean + sd * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Shuffles in place (Fisher–Yates) and returns the same array. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = items[i];
      (items as { [index: number]: unknown })[i] = items[j];
      (items as { [index: number]: unknown })[j] = held;
    }
    return items;
  }

  /** An independent stream named by `label`; the same parent state and label give the same stream, and the parent does not advance. */
  fork(label: number | string): Random {
    return new Random(`${this.#s.join(',')}/${label}`);
  }

  toState(): RandomState {
    return { words: [...this.#s] };
  }

  static fromState(state: RandomState): Random {
    const random = new Random(0);
    random.#s = [...state.words];
    return random;
  }
}
