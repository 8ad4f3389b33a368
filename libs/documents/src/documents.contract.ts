/** The documents' contract in code, in mongoose's and mongod's terms: every implementation's spec runs it. */
import { describeDifferences } from './testing/differences.js';
import { describeIndexes } from './testing/indexes.js';
import { describeQueries } from './testing/queries.js';
import { type DocumentsContract, type Fact, longestMs } from './testing/scene.js';
import { describeValues } from './testing/values.js';
import { describeWrites } from './testing/writes.js';

export type { DocumentsContract, DocumentsGround } from './testing/scene.js';

/** Describes the contract; `open` gives fresh documents for each fact, or some that facts share. */
export function describeDocuments(name: string, { open, skip }: DocumentsContract): void {
  const fact: Fact = (title, run) => {
    const test = skip.includes(title) ? it.skip : it;
    test(
      title,
      async () => {
        const ground = await open();
        try {
          await run(ground.connection);
        } finally {
          await ground.close();
        }
      },
      longestMs,
    );
  };
  describe(`${name}: values`, () => describeValues(fact));
  describe(`${name}: queries`, () => describeQueries(fact));
  describe(`${name}: writes`, () => describeWrites(fact));
  describe(`${name}: indexes`, () => describeIndexes(fact));
  describe(`${name}: against a naive model`, () => describeDifferences(fact));
}
