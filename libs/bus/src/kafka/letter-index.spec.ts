/** The index of a topic of dead letters beside a plain map of the same records, and how little it holds and reads. */
import fc from 'fast-check';
import type { KafkaMessage } from 'kafkajs';
import { LetterIndex } from './letter-index.js';
import { keyOfLetter, keyOfReplay } from './letter-keys.js';

/** A compacted topic in memory: three records a fetch. */
class Topic {
  readonly log: { offset: number; key: string; value: string | null }[] = [];
  reads = 0;
  end = 0;

  write(key: string, value: string | null = key): void {
    this.log.push({ offset: this.end++, key, value });
  }

  /** What brokers do in time; with their marks of removals where those are old. The last record stays. */
  compact(marksToo: boolean): void {
    const last = new Map(this.log.map(({ key, offset }) => [key, offset]));
    const isKept = ({ key, offset, value }: (typeof this.log)[number]) =>
      last.get(key) === offset && !(marksToo && value === null);
    this.log.splice(0, this.end, ...this.log.filter((record) => isKept(record) || record.offset === this.end - 1));
  }

  async bounds() {
    return { start: this.log[0]?.offset ?? this.end, end: this.end };
  }

  async read(from: number): Promise<KafkaMessage[]> {
    this.reads++;
    const found = this.log.filter(({ offset }) => offset >= from).slice(0, 3);
    if (found.length === 0) throw new Error(`read from ${from}, past the end`);
    return found.map(({ offset, key, value }) => {
      return { key: Buffer.from(key), value: value && Buffer.from(value), offset: String(offset) } as KafkaMessage;
    });
  }

  /** The letters, oldest first, as whoever keeps all of them would know. */
  letters(): Map<string, number> {
    const letters = new Map<string, number>();
    for (const { key, value, offset } of this.log) {
      letters.delete(key);
      if (value !== null && !key.startsWith('replay:')) letters.set(key, offset);
    }
    return letters;
  }
}

const act = fc.record({
  kind: fc.constantFrom('bury', 'bury', 'bury', 'remove', 'give back', 'compact', 'ask', 'find'),
  id: fc.integer({ min: 0, max: 11 }).map((i) => `e${i}`),
  count: fc.integer({ min: 1, max: 9 }),
});

it('knows the oldest letters, and where each is, whatever was written, holding four', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
      const topic = new Topic();
      const index = new LetterIndex(topic, { most: 4, now: () => 0 });
      for (const { kind, id, count } of [...acts, { kind: 'ask', id: '', count: 9 }]) {
        if (kind === 'bury') topic.write(id);
        if (kind === 'remove') topic.write(id, null);
        if (kind === 'give back')
          for (const [key, value] of [
            [keyOfReplay(id), id],
            [id, null],
          ] as const)
            topic.write(key!, value);
        if (kind === 'compact') topic.compact(false);
        const letters = topic.letters();
        if (kind === 'ask')
          expect(await index.oldest(count)).toEqual([...letters.values()].slice(0, Math.min(count, 4)));
        if (kind !== 'find') continue;
        const ids = [id, 'e0', 'e5', 'e11'];
        const found = [...new Set(ids)].filter((one) => letters.has(one)).map((one) => [one, [letters.get(one)]]);
        expect([...(await index.find(ids))].sort()).toEqual(found.sort());
      }
    }),
    { seed: 7, numRuns: 500 },
  );
});

it('tells letters of one id by their places, also where it holds few, and reads those of before places', async () => {
  const topic = new Topic();
  const index = new LetterIndex(topic, { most: 2 });
  const at = (offset: number) => keyOfLetter({ topic: 't', partition: 0, offset, id: 'same' });
  for (const key of ['same', at(0), at(1), 'other', at(2)]) topic.write(key);
  expect(await index.find(['same', 'none'])).toEqual(new Map([['same', [0, 1, 2, 4]]]));
  for (const key of ['same', at(2)]) topic.write(key, null);
  topic.write(keyOfReplay(at(2)));
  expect(await index.find(['same', 'other'])).toEqual(
    new Map([
      ['same', [1, 2]],
      ['other', [3]],
    ]),
  );
  expect(await index.oldest(9)).toEqual([1, 2]);
});

it('reads what has come since, and nothing again while it holds enough', async () => {
  const topic = new Topic();
  for (let i = 0; i < 90; i++) topic.write(`e${i}`);
  const index = new LetterIndex(topic, { most: 20 });
  expect(await index.oldest(5)).toHaveLength(5);
  expect(topic.reads).toBe(30);
  for (let i = 0; i < 15; i++) topic.write(`e${i}`, null);
  expect(await index.oldest(5)).toEqual([15, 16, 17, 18, 19]);
  expect(topic.reads).toBe(35);
  await index.oldest(5);
  expect(topic.reads).toBe(35);
  expect(await index.oldest(6)).toEqual([15, 16, 17, 18, 19, 20]);
});

it('reads a fetch at a time, and gives only what was asked for', async () => {
  const topic = new Topic();
  for (let i = 0; i < 30; i++) topic.write(`e${i}`);
  const index = new LetterIndex(topic);
  const given: string[][] = [];
  for await (const messages of index.read([1, 2, 3, 20])) given.push(messages.map(({ key }) => String(key)));
  expect(given).toEqual([['e1', 'e2', 'e3'], ['e20']]);
  expect(topic.reads).toBe(2);
});

it('begins anew when it has not read for so long that marks of removals may be gone', async () => {
  const topic = new Topic();
  let now = 0;
  const index = new LetterIndex(topic, { now: () => now });
  topic.write('a');
  topic.write('b');
  expect(await index.oldest(9)).toEqual([0, 1]);
  topic.write('a', null);
  topic.write('c');
  topic.compact(true);
  now = 7_200_000;
  expect(await index.oldest(9)).toEqual([1, 3]);
});
