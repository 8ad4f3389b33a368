/** Requests as the small world's own programs send them: what is mutated where the depth of a service is to be reached. */

import type { Random } from '@driftloop/algorithms';
import type { Fact, Question, ReportedOutcome } from '@driftloop/client';
import {
  ApplyRequest,
  IngestRequest,
  inference,
  Outcome,
  ReadOnlineRequest,
  RecordOutcomesRequest,
  SourceRow,
  type Value,
} from '@driftloop/contracts';
import { oneOf } from './hostile.js';
import { spoken } from './words.js';
import { target } from './world.js';

type Making = (random: Random, model: string) => Uint8Array;

/** By an RPC's path: how a real request is made. One that is not here is filled by its fields' names (generate.ts). */
const making: Readonly<Record<string, Making>> = {
  '/driftloop.v1.FeatureStore/Ingest': (random, model) => {
    const { source, fact } = oneOf(random, facts());
    return IngestRequest.encode(IngestRequest.fromPartial({ model, source, rows: [rowOf(fact)] })).finish();
  },
  '/driftloop.v1.Labeling/RecordOutcomes': outcomesRequest,
  '/driftloop.v1.Labeling/StreamOutcomes': outcomesRequest,
  '/driftloop.v1.FeatureStore/ReadOnline': (random, model) => {
    const questions = [oneOf(random, asked()), oneOf(random, asked())].map(({ entityId, eventTime, inputs }) => ({
      entityId,
      eventTime,
      inputs: Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, cellOf(value)])),
    }));
    return ReadOnlineRequest.encode(ReadOnlineRequest.fromPartial({ model, questions, deadlineMs: 50 })).finish();
  },
  '/driftloop.v1.Registry/Apply': () =>
    ApplyRequest.encode(ApplyRequest.fromPartial({ spec: spoken().spec, eventTime: spokenAt() })).finish(),
  '/inference.GRPCInferenceService/ModelInfer': (random, model) => inferRequest(oneOf(random, asked()), model),
};

/** A real request of an RPC, where there is one. */
export const realRequest = (path: string, random: Random, model: string): Uint8Array | undefined =>
  Object.hasOwn(making, path) ? making[path](random, model) : undefined;

function outcomesRequest(random: Random, model: string): Uint8Array {
  const outcomes = [Outcome.fromPartial(oneOf(random, reported()))];
  return RecordOutcomesRequest.encode(RecordOutcomesRequest.fromPartial({ label: `${model}.late`, outcomes })).finish();
}

/** A question as a client asks it, at its own time. */
export function inferRequest({ entityId, eventTime, inputs }: Question, modelName: string, version = ''): Uint8Array {
  const text = (value: string) => ({ parameterChoice: { $case: 'stringParam' as const, value } });
  const request = inference.ModelInferRequest.fromPartial({
    modelName,
    modelVersion: version,
    id: entityId,
    parameters: { entity_id: text(entityId), ...(eventTime && { event_time: text(eventTime.toISOString()) }) },
    inputs: Object.entries(inputs).map(([name, value]) => tensor(name, value)),
  });
  return inference.ModelInferRequest.encode(request).finish();
}

function tensor(name: string, value: string | number | Date): inference.ModelInferRequest_InferInputTensor {
  const isNumber = typeof value === 'number';
  const text = value instanceof Date ? value.toISOString() : String(value);
  const contents = isNumber ? { fp64Contents: [value] } : { bytesContents: [Buffer.from(text)] };
  const datatype = isNumber ? 'FP64' : 'BYTES';
  const fields = { name, datatype, shape: [1, 1], contents: contents as never };
  return inference.ModelInferRequest_InferInputTensor.fromPartial(fields);
}

function cellOf(value: string | number | Date | null): Value {
  if (value === null) return { kind: undefined };
  if (value instanceof Date) return { kind: { $case: 'time', value } };
  return { kind: typeof value === 'number' ? { $case: 'number', value } : { $case: 'text', value } };
}

export function rowOf({ entityId, eventTime, knownAt, values }: Fact): SourceRow {
  const cells = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, cellOf(value)]));
  return SourceRow.fromPartial({ entityId, eventTime, knownAt, values: cells });
}

const spokenAt = (): Date => new Date(spoken().happenings[0].at);
const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => (made ??= make());
};
export const facts = once((): { source: string; fact: Fact }[] =>
  spoken().happenings.flatMap((one) => (one.kind === 'fact' ? [one] : [])),
);
const reported = once((): ReportedOutcome[] =>
  spoken().happenings.flatMap((one) => (one.kind === 'outcome' ? [one.outcome] : [])),
);
/** Questions, of which the target's and the bystanders' are the same but for the model. */
export const asked = once((): Question[] =>
  spoken().happenings.flatMap((one) => (one.kind === 'question' ? [{ ...one.question, model: target }] : [])),
);
