/** Spans as rows of a cycle: each once, of its own trace only, not without end. */
import { CycleSpan, ModelApproved, ModelTrained } from '@driftloop/contracts';
import { CycleSpans, cycleTraceId, Telemetry, WallClock } from '@driftloop/service';
import { keptSpans, spanMessages, spansOf, withSpans } from './spans.js';

const cycleId = 'c'.repeat(32);
const maker = (service: string) => new CycleSpans(service, new Telemetry(service), new WallClock());
const row = (step: string, eventTime = 0, service = 'registry') =>
  maker(service).row({ cycleId, step, eventTime, started: 1e12 + eventTime })!;

it('keeps a span once, as it was told first', () => {
  const gate = row('gate');
  const rows = withSpans(cycleId, [], [gate]);
  const again = withSpans(cycleId, rows, [{ ...row('gate'), started: new Date(5) }, undefined]);
  expect(spanMessages(again)).toEqual([gate]);
});

it('keeps nothing of another trace', () => {
  const foreign = CycleSpan.fromPartial({ ...row('gate'), traceId: cycleTraceId('another') });
  expect(withSpans(cycleId, [], [foreign])).toEqual([]);
});

it('stays small', () => {
  const many = Array.from({ length: keptSpans + 50 }, (_, i) => row(`followed/${i}`));
  const rows = withSpans(cycleId, [], many);
  expect(rows).toHaveLength(keptSpans);
  expect(withSpans(cycleId, rows, [row('one more')])).toHaveLength(keptSpans);
});

it('tells the root first, then by event time', () => {
  const root = row('cycle opened', 50, 'monitoring');
  const rows = withSpans(cycleId, [], [row('gate', 90), row('training', 60), root]);
  expect(spanMessages(rows).map(({ name }) => name)).toEqual(['cycle opened', 'training', 'gate']);
});

describe('a fact', () => {
  const fact = (topic: string, payload: unknown) => ({
    ...{ _id: 'f', series: 'main/m', topic, time: 0, timeless: false, settled: false },
    payload: JSON.stringify(payload),
  });

  it('reports its span, or its spans, or none', () => {
    const gate = row('gate');
    expect(spansOf(fact('model.approved', ModelApproved.toJSON(ModelApproved.fromPartial({ span: gate }))))).toEqual([
      gate,
    ]);
    const trained = ModelTrained.fromPartial({ spans: [row('a'), row('b')] });
    expect(spansOf(fact('model.trained', ModelTrained.toJSON(trained))).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(spansOf(fact('model.declared', {}))).toEqual([]);
  });
});
