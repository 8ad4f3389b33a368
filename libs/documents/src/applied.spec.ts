/** Accumulators apply each event once. */
import { DatabaseSync } from 'node:sqlite';
import { Schema } from 'mongoose';
import { alreadyApplied, appliedField, applyOnce, markApplied } from './applied.js';
import { openEmbedded } from './embedded/open.js';
import type { Cause } from './outbox.js';

const at = (offset: number, partition = 0): Cause => ({
  id: `e${offset}`,
  time: offset,
  tenant: 'main',
  position: { topic: 'labels.added', partition, offset },
});

async function open() {
  const connection = await openEmbedded(new DatabaseSync(':memory:'), 'sums', { onScan: 'throw' });
  return connection.model('Sum', new Schema({ _id: String, sum: Number, ...appliedField }));
}

it('knows after a restart what a saved document has applied, by topic and partition', async () => {
  const Sum = await open();
  const doc = new Sum({ _id: 'a', sum: 0 });
  expect(alreadyApplied(doc, at(0))).toBe(false);
  markApplied(doc, at(3));
  markApplied(doc, at(2));
  await doc.save();
  for (const again of [(await Sum.findById('a'))!, (await Sum.findById('a').lean())!]) {
    expect(alreadyApplied(again, at(3))).toBe(true);
    expect(alreadyApplied(again, at(2))).toBe(true);
    expect(alreadyApplied(again, at(4))).toBe(false);
    expect(alreadyApplied(again, at(1, 1))).toBe(false);
  }
  const again = (await Sum.findById('a'))!;
  markApplied(again, at(5));
  await again.save();
  expect(alreadyApplied((await Sum.findById('a').lean())!, at(5))).toBe(true);
});

it('never takes a request for an applied event', () => {
  const request: Cause = { id: 'r', time: 1, tenant: 'main' };
  const doc = {};
  markApplied(doc, request);
  expect(alreadyApplied(doc, request)).toBe(false);
  expect(applyOnce(request)).toEqual({ filter: {}, $max: {} });
});

it('applies once by an update too', async () => {
  const Sum = await open();
  await Sum.create({ _id: 'a', sum: 0 });
  const add = (cause: Cause) => {
    const { filter, $max } = applyOnce(cause);
    return Sum.updateOne({ _id: 'a', ...filter }, { $inc: { sum: 1 }, $max });
  };
  for (const offset of [0, 1, 1, 0, 2]) await add(at(offset));
  await add(at(0, 1));
  expect((await Sum.findById('a').lean())!.sum).toBe(4);
});
