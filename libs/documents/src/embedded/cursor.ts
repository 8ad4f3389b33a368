/** The part of mongod's cursor that mongoose and callers use: lazily run, read once. */
import type { Doc } from './codec.js';
import { breathe } from './turns.js';

/** How a cursor gets its documents: all at once, or one by one. */
export interface Source {
  readonly all: () => Promise<Doc[]>;
  readonly each: () => Promise<Iterator<Doc>>;
}

export class EmbeddedCursor implements AsyncIterable<Doc> {
  private docs: Iterator<Doc> | undefined;
  closed = false;

  constructor(private readonly source: Source) {}

  async toArray(): Promise<Doc[]> {
    if (this.closed) return [];
    this.closed = true;
    if (!this.docs) return this.source.all();
    return [...{ [Symbol.iterator]: () => this.docs! }];
  }

  async next(): Promise<Doc | null> {
    if (this.closed) return null;
    await breathe();
    this.docs ??= await this.source.each();
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
