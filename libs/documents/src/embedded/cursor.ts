/** The part of mongod's cursor that mongoose and callers use: lazily run, read once. */
import type { Doc } from './codec.js';

export class EmbeddedCursor implements AsyncIterable<Doc> {
  private docs: Iterator<Doc> | undefined;
  closed = false;

  constructor(private readonly run: () => Promise<Iterable<Doc>>) {}

  async toArray(): Promise<Doc[]> {
    if (this.docs) return [...{ [Symbol.iterator]: () => this.docs! }];
    this.docs = [][Symbol.iterator]();
    const docs = await this.run();
    return Array.isArray(docs) ? docs : [...docs];
  }

  async next(): Promise<Doc | null> {
    if (this.closed) return null;
    this.docs ??= (await this.run())[Symbol.iterator]();
    const { value, done } = this.docs.next();
    return done ? null : value;
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  addCursorFlag(): this {
    return this;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Doc> {
    for (let doc = await this.next(); doc !== null; doc = await this.next()) yield doc;
  }
}
