/** A request read into questions: one a row, with its id, its entity, the event time and what the caller sent. */
import { hash } from 'node:crypto';
import { clockSkewMs, type inference, isWholeText, own, textLimits, wholeTextAdvice } from '@driftloop/contracts';
import { errors } from './errors.js';
import type { ServedModel } from './served-models.js';
import { type Column, readTensors, timeAdvice, timeOf } from './tensors.js';

export interface Questions {
  readonly rows: number;
  /** The request's id, or a new one: prediction ids follow from it. */
  readonly id: string;
  /** The entity that the request names, or ''. */
  readonly entity: string;
  /** Event time, epoch ms; undefined: now. */
  readonly eventTime: number | undefined;
  /** What the caller sent, at the inputs' positions. */
  readonly columns: readonly (Column | undefined)[];
}

type Request = Pick<
  inference.ModelInferRequest,
  'id' | 'parameters' | 'inputs' | 'rawInputContents' | 'modelName' | 'modelVersion' | 'outputs'
>;

const longestName = textLimits.name;

/** What a caller may say of time. */
export interface TimeRight {
  /** Whether the caller has the replay credential. */
  readonly mayReplay: boolean;
  /** Wall ms behind which a time has to lie; undefined where a replay says what time it is. */
  readonly now: number | undefined;
}

/** Reads a request. Throws the errors of `readTensors`, MISSING_INPUT, UNKNOWN_OUTPUT, WRONG_PARAMETER, EVENT_TIME_…. */
export function readQuestions(request: Request, model: ServedModel, right: TimeRight, newId: () => string): Questions {
  for (const { name } of request.outputs)
    if (name !== 'probability') throw errors.UNKNOWN_OUTPUT({ output: name.slice(0, 100) });
  const { rows, columns } = readTensors(request, model.inputs);
  const entity = textParameter(request, 'entity_id');
  if (entity && rows > 1) {
    const problem = `names one entity, but the request has ${rows} rows; send one request an entity`;
    throw errors.WRONG_PARAMETER({ parameter: 'entity_id', problem });
  }
  if (!entity)
    for (const { name, own, position } of model.inputs.values())
      if (own && !columns[position]) throw errors.MISSING_INPUT({ input: name });
  checkName('id', request.id);
  if (hasControl(request.id))
    throw errors.WRONG_PARAMETER({ parameter: 'id', problem: 'holds a control character; send an id without' });
  return { rows, id: request.id || newId(), entity, eventTime: eventTime(request, right), columns };
}

/** Between a request's id and a row's number: no id holds it. */
const rowSeparator = '\u001f';

/** The prediction id of a row. No other request has it, unless its id is the same. */
export function idOf({ rows, id }: Questions, row: number): string {
  return rows === 1 ? id : `${id}${rowSeparator}${row}`;
}

/** The entity of a row: the one that the request names, or nobody but this row, as outcomes name it. */
export function entityOf({ entity, rows, id }: Questions, row: number): string {
  return entity || (rows === 1 ? id : `${id}/${row}`);
}

/**
 * Names what the caller asked in a row, so that the same question sent again is known, and another one under its id too.
 * A live question has no time of its own.
 */
export function nameOf({ entity, eventTime, columns }: Questions, row: number): string {
  const sent = columns.map((column) => column?.[row]);
  return hash('sha256', JSON.stringify([entity, eventTime ?? null, sent])).slice(0, 16);
}

function eventTime(request: Request, { mayReplay, now }: TimeRight): number | undefined {
  const parameter = 'event_time';
  const text = textParameter(request, parameter);
  if (!text) return undefined;
  if (!mayReplay) throw errors.EVENT_TIME_FORBIDDEN({ parameter });
  const time = timeOf(text);
  if (Number.isNaN(time)) throw errors.WRONG_PARAMETER({ parameter, problem: `is not a time; ${timeAdvice}` });
  if (now === undefined || time <= now + clockSkewMs) return time;
  throw errors.EVENT_TIME_AHEAD({ time: text.slice(0, 40), now: new Date(now).toISOString() });
}

function textParameter(request: Request, parameter: string): string {
  const choice = own(request.parameters, parameter)?.parameterChoice;
  if (!choice) return '';
  if (choice.$case !== 'stringParam')
    throw errors.WRONG_PARAMETER({ parameter, problem: 'is not a string; send a string_param' });
  checkName(parameter, choice.value);
  return choice.value;
}

function checkName(parameter: string, value: string): void {
  const wrong = (problem: string) => errors.WRONG_PARAMETER({ parameter, problem });
  if (value.length > longestName) throw wrong(`is too long; send at most ${longestName} characters`);
  if (!isWholeText(value)) throw wrong(`cannot be kept as it is; ${wholeTextAdvice}`);
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20 || text.charCodeAt(i) === 0x7f) return true;
  return false;
}
