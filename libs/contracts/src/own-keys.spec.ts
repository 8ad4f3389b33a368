/** Maps of messages: their keys are their sender's, whatever they are called. */

import { Outcome, SourceRow } from './gen/driftloop/v1/events.js';
import { RecordOutcomesRequest } from './gen/driftloop/v1/labeling.js';
import { inference } from './index.js';
import { own } from './own.js';

const value = { kind: { $case: 'number' as const, value: 7 } };
/** As a program in another language sends it. */
const hostile = (): SourceRow['values'] => {
  const values = Object.create(null);
  for (const key of ['__proto__', 'constructor', 'depot']) values[key] = value;
  return values;
};

it('hold every key as one of their own, and inherit nothing, from bytes as from JSON', () => {
  const sent = { ...SourceRow.fromPartial({ entityId: 'e' }), values: hostile() };
  const decoded = SourceRow.decode(SourceRow.encode(sent).finish());
  const read = SourceRow.fromJSON(JSON.parse(JSON.stringify(SourceRow.toJSON(sent))));
  for (const { values } of [decoded, read, SourceRow.fromPartial(sent)]) {
    expect(Object.keys(values).sort()).toEqual(['__proto__', 'constructor', 'depot']);
    expect(Object.getPrototypeOf(values)).toBeNull();
    expect(values.kind).toBeUndefined();
    expect(values.toString).toBeUndefined();
  }
});

it('inherit nothing where nothing was sent', () => {
  const { outcomes } = RecordOutcomesRequest.decode(
    RecordOutcomesRequest.encode(RecordOutcomesRequest.fromPartial({ outcomes: [{ entityId: 'e' }] })).finish(),
  );
  expect(Object.getPrototypeOf(outcomes[0].attributes)).toBeNull();
  expect(Object.getPrototypeOf(Outcome.fromJSON({}).attributes)).toBeNull();
  expect(Object.getPrototypeOf(inference.ModelInferRequest.decode(new Uint8Array()).parameters)).toBeNull();
});

it.each(['constructor', 'toString', 'valueOf', '__proto__'])('are asked for what they hold themselves: %s', (name) => {
  expect(own({ depot: 1 }, name)).toBeUndefined();
  expect(own(JSON.parse(`{"${name}": 1}`), name)).toBe(1);
});
