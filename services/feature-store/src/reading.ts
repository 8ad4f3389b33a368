/**
 * Online reads: questions in, features as of each question's time out.
 *
 * I1  A question's fault is its own: it is refused in its row, and changes neither the others' answers nor their wait.
 */
import {
  type FeatureQuestion,
  type FeatureRow,
  isEventMs,
  isKept,
  isWholeText,
  LoopError,
  type ModelSpec,
  msOfTime,
  numberAdvice,
  own,
  type ReadOnlineReply,
  type ReadOnlineRequest,
  textLimits,
  type Value,
  wholeTextAdvice,
} from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import type { ModelView } from './model-view.js';
import { Models } from './models.js';
import type { Question } from './views/feature-view.js';
import type { Cell } from './views/source-rows.js';
import { type Staleness, stalenessOf } from './views/staleness.js';
import type { Asker } from './views/watermarks.js';

const questionLimit = 10_000;
const tooLong = 'is too long';
const notWhole = `cannot be kept as it is; ${wholeTextAdvice}`;
/** The longest wait for a watermark, ms of wall time. */
const longestWait = 60_000;

@Injectable()
export class Reading {
  constructor(private readonly models: Models) {}

  /**
   * Answers questions, once the watermark has reached the latest of them, the deadline has passed, or the asker has gone.
   * Throws UNKNOWN_MODEL, BATCH_TOO_LARGE, TOO_MANY_WAITING; where every question is refused, the first's TIME_INVALID or
   * INPUT_INVALID.
   */
  async read(
    tenant: string,
    { model, questions, deadlineMs }: ReadOnlineRequest,
    asker: Asker,
  ): Promise<ReadOnlineReply> {
    const view = this.models.of(tenant, model);
    if (questions.length > questionLimit) {
      throw errors.BATCH_TOO_LARGE({ rows: questions.length, limit: questionLimit });
    }
    const asked = questions.map((question, i) => unlessRefused(() => questionOf(view.spec, question, i)));
    const refused = asked.filter((question) => question instanceof LoopError);
    if (refused.length && refused.length === asked.length) throw refused[0];
    const latest = asked.reduce(
      (newest, q) => Math.max(newest, 'time' in q ? q.time : newest),
      Number.NEGATIVE_INFINITY,
    );
    await view.watermarks.wait(latest, Math.min(deadlineMs, longestWait), asker);
    const { numbers, texts } = view.plan;
    const stalenessAt = stalenessIn(view);
    const rows = asked.map((question) =>
      question instanceof LoopError ? refusalOf(question) : rowOf(view, question, stalenessAt(question.time)),
    );
    return { numberFeatures: numbers, textFeatures: texts, rows, specRevision: view.revision };
  }
}

/** The staleness of questions, worked out once for all of one time. */
function stalenessIn(view: ModelView): (time: number) => Staleness {
  const { plan, watermarks } = view;
  let last: { time: number; staleness: Staleness } | undefined;
  return (time) => {
    if (last?.time !== time) {
      const staleness = stalenessOf(plan, time, (source) => view.reachedBy(source), watermarks.silenceMs);
      last = { time, staleness };
    }
    return last.staleness;
  };
}

function rowOf({ view, plan, watermarks }: ModelView, question: Question, { behindMs, stale }: Staleness): FeatureRow {
  const { numbers, texts, entityTime, unknownEntity } = view.answer(question);
  const missing: string[] = [];
  for (let i = 0; i < numbers.length; i++) if (Number.isNaN(numbers[i])) missing.push(plan.numbers[i]);
  for (let i = 0; i < texts.length; i++) if (texts[i] === '') missing.push(plan.texts[i]);
  // Before the horizon the rows have left memory: what is answered there may lack some.
  const inMemory = question.time - plan.reachMs >= view.horizon;
  return {
    numbers: numbers as unknown as number[],
    texts,
    missing,
    complete: inMemory && watermarks.reached(question.time),
    entityTime: entityTime === undefined ? undefined : new Date(entityTime),
    unknownEntity,
    refusal: undefined,
    behindMs,
    stale,
  };
}

/** I1. What is no refusal of ours is a defect, and fails the call. */
function unlessRefused(read: () => Question): Question | LoopError {
  try {
    return read();
  } catch (error) {
    if (error instanceof LoopError) return error;
    throw error;
  }
}

function refusalOf({ code, message: reason }: LoopError): FeatureRow {
  const nothing = { numbers: [], texts: [], missing: [], complete: false, entityTime: undefined, unknownEntity: false };
  return { ...nothing, behindMs: 0, stale: [], refusal: { code, reason } };
}

function questionOf({ spec }: ModelSpec, { entityId, eventTime, inputs }: FeatureQuestion, i: number): Question {
  const time = eventTime?.getTime() ?? Number.NaN;
  if (!isEventMs(time)) throw errors.TIME_INVALID({ what: `event_time of question ${i}` });
  if (entityId.length > textLimits.name)
    throw errors.INPUT_INVALID({ question: i, input: 'entity_id', problem: tooLong });
  if (!isWholeText(entityId)) throw errors.INPUT_INVALID({ question: i, input: 'entity_id', problem: notWhole });
  const cells: Record<string, Cell> = Object.create(null);
  for (const [name, sent] of Object.entries(inputs)) {
    const kind = own(spec.request.inputs, name);
    const known = Object.keys(spec.request.inputs).join(', ');
    const wrong = (problem: string) => errors.INPUT_INVALID({ question: i, input: name.slice(0, 100), problem });
    if (sent.kind?.$case === 'text' && sent.kind.value.length > textLimits.text) throw wrong(tooLong);
    if (sent.kind?.$case === 'text' && !isWholeText(sent.kind.value)) throw wrong(notWhole);
    if (sent.kind?.$case === 'number' && !isKept(sent.kind.value))
      throw wrong(`is ${sent.kind.value}; ${numberAdvice}`);
    if (!kind) throw wrong(`is not declared; declared: ${known}`);
    const cell = cellOf(kind, sent);
    if (cell === null) throw wrong(`must be a ${kind}`);
    if (cell !== undefined) cells[name] = cell;
  }
  return { entityId, time, inputs: cells };
}

/** A request's input as a cell, times as epoch ms; undefined is missing, null is of the wrong type. */
function cellOf(kind: 'number' | 'text' | 'time', { kind: sent }: Value): Cell | null {
  if (!sent || sent.value === '') return undefined;
  if (kind === 'text') return sent.$case === 'text' ? sent.value : null;
  if (kind === 'number') {
    if (sent.$case === 'flag') return sent.value ? 1 : 0;
    if (sent.$case !== 'number') return null;
    return Number.isNaN(sent.value) ? undefined : sent.value;
  }
  if (sent.$case !== 'time' && sent.$case !== 'text') return null;
  const ms = sent.$case === 'text' ? msOfTime(sent.value, { utc: true, epochs: true }) : sent.value.getTime();
  return isEventMs(ms) ? ms : null;
}
