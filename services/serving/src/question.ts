/** A request read into questions: one a row, with the entity, the event time and the inputs that the caller sent. */
import type { inference, LoopError, Value } from '@driftloop/contracts';
import { errors } from './errors.js';
import type { ServedModel } from './served-models.js';
import { type Column, type InputKind, readTensors } from './tensors.js';

export interface Questions {
  readonly rows: number;
  readonly ids: string[];
  readonly entities: string[];
  /** Event time, epoch ms; undefined: now. */
  readonly eventTime: number | undefined;
  /** The request's own inputs, a map a row. */
  readonly inputs: Record<string, Value>[];
  /** Features that the caller sent itself, by column. */
  readonly features: Map<string, Column>;
}

/** Inputs that a model takes: the request's own, then every other feature (which the store supplies when left out). */
export function inputKinds({ spec, columns }: ServedModel): Map<string, InputKind> {
  const kinds = new Map<string, InputKind>(Object.entries(spec.spec.request.inputs));
  for (const { name, kind } of columns) if (!kinds.has(name)) kinds.set(name, kind);
  return kinds;
}

/** Reads a request. Throws the errors of `readTensors`, MISSING_INPUT, WRONG_PARAMETER. */
export function readQuestions(
  request: inference.ModelInferRequest,
  model: ServedModel,
  mayReplay: boolean,
  newId: () => string,
): Questions {
  const { rows, columns } = readTensors(request, inputKinds(model));
  const entity = textParameter(request, 'entity_id');
  if (entity && rows > 1)
    throw errors.WRONG_PARAMETER({
      parameter: 'entity_id',
      problem: `names one entity, but the request has ${rows} rows`,
    });
  const own = model.spec.spec.request.inputs;
  if (!entity) for (const input of Object.keys(own)) if (!columns.has(input)) throw errors.MISSING_INPUT({ input });
  const id = request.id || newId();
  return {
    rows,
    ids: Array.from({ length: rows }, (_, i) => (rows === 1 ? id : `${id}/${i}`)),
    entities: Array.from({ length: rows }, (_, i) => entity || `${id}/${i}`),
    eventTime: eventTime(request, mayReplay),
    inputs: Array.from({ length: rows }, (_, i) => inputsOf(own, columns, i)),
    features: new Map([...columns].filter(([name]) => !(name in own) || model.columns.some((c) => c.name === name))),
  };
}

function inputsOf(own: Record<string, InputKind>, columns: Map<string, Column>, row: number): Record<string, Value> {
  const values: Record<string, Value> = {};
  for (const [input, kind] of Object.entries(own)) {
    const value = columns.get(input)?.values[row];
    if (value === undefined || Number.isNaN(value)) continue;
    if (typeof value === 'number') values[input] = { kind: { $case: 'number', value } };
    else if (kind === 'time') values[input] = { kind: { $case: 'time', value: new Date(value) } };
    else values[input] = { kind: { $case: 'text', value } };
  }
  return values;
}

function eventTime(request: inference.ModelInferRequest, mayReplay: boolean): number | undefined {
  const text = textParameter(request, 'event_time');
  if (!text) return undefined;
  const fault = (problem: string): LoopError => errors.WRONG_PARAMETER({ parameter: 'event_time', problem });
  if (!mayReplay) throw fault('is for replays; leave it out, or call with the replay credential');
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw fault('is not a time; send RFC 3339, such as 2013-02-14T10:00:00Z');
  return time;
}

function textParameter(request: inference.ModelInferRequest, parameter: string): string {
  const choice = request.parameters[parameter]?.parameterChoice;
  if (!choice) return '';
  if (choice.$case !== 'stringParam') throw errors.WRONG_PARAMETER({ parameter, problem: 'must be a string' });
  return choice.value;
}
