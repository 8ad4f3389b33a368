/**
 * Features of questions: from the request where it sends them, else from the feature store, as of the question's time.
 *
 * I1  What the caller sent goes before what the store knows.
 * I2  Live, a store that is away or late costs accuracy, never the answer: what is missing is imputed in the graph and
 *     flagged. In a replay it is waited for, and without it there is no answer (FEATURES_AWAY, retriable).
 * I3  An entity alone says nothing: where the caller leaves inputs to the store and the store has not answered in time,
 *     there is no answer either, rather than one made of nothing.
 * I4  Live, what the store knows is taken as it is: how far it is behind, and what is stale of it, is told.
 */
import type { FeatureRow, Value } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import type { Reading, StoredRow } from './online-batch.js';
import { OnlineStore } from './online-store.js';
import { entityOf, type Questions } from './question.js';
import type { ServedModel } from './served-models.js';
import { timeOf } from './tensors.js';

/** One row of features in the model's layout. */
export interface Features {
  readonly numbers: number[];
  readonly texts: string[];
  /** Missing, here and in the store: imputed in the graph. */
  readonly imputed: string[];
  /** The entity's own time, epoch ms, where somebody knows it. */
  readonly entityTime: number | undefined;
  /** How far the slowest of the store's sources is behind the question, ms; 0 where none is, or the store was not asked. */
  readonly behindMs: number;
  /** Names of the store's features that lean on a source that is too far behind. */
  readonly stale: readonly string[];
}

@Injectable()
export class FeatureReader {
  constructor(private readonly store: OnlineStore) {}

  /** The features of a request's rows. Throws UNKNOWN_ENTITY, QUESTION_REFUSED; in a replay, or with inputs left out, FEATURES_AWAY. */
  async read(model: ServedModel, questions: Questions, reading: Reading): Promise<Features[]> {
    const rows = Array.from({ length: questions.rows }, (_, row) => row);
    if (isComplete(model, questions)) return rows.map((row) => assemble(model, questions, row, undefined));
    const stored = await Promise.all(
      rows.map((row) => {
        const inputs = ownInputs(model, questions, row);
        const question = { entityId: entityOf(questions, row), eventTime: new Date(reading.time), inputs };
        return this.store.read(model, question, reading);
      }),
    );
    return rows.map((row) => assemble(model, questions, row, stored[row]));
  }
}

/** Whether the caller sent every feature itself. */
function isComplete({ positions }: ServedModel, { columns }: Questions): boolean {
  for (const position of positions.numbers) if (!columns[position]) return false;
  for (const position of positions.texts) if (!columns[position]) return false;
  return true;
}

/** I3 */
function leavesInputsOut({ inputs }: ServedModel, { columns }: Questions): boolean {
  for (const { own, position } of inputs.values()) if (own && !columns[position]) return true;
  return false;
}

/** The request's own inputs of a row, as the store takes them; a missing one is left out. */
function ownInputs(model: ServedModel, { columns }: Questions, row: number): Record<string, Value> {
  const values: Record<string, Value> = Object.create(null);
  for (const { name, kind, own, position } of model.inputs.values()) {
    const value = own ? columns[position]?.[row] : undefined;
    if (value === undefined || value === '' || Number.isNaN(value)) continue;
    if (typeof value === 'number') values[name] = { kind: { $case: 'number', value } };
    else if (kind === 'time') values[name] = { kind: { $case: 'time', value: new Date(timeOf(value)) } };
    else values[name] = { kind: { $case: 'text', value } };
  }
  return values;
}

/** I1 */
function assemble(model: ServedModel, questions: Questions, row: number, stored: StoredRow | undefined): Features {
  if (stored?.unknownEntity) throw unknownEntity(model, entityOf(questions, row));
  if (!stored && !isComplete(model, questions) && leavesInputsOut(model, questions))
    throw errors.FEATURES_AWAY({ reason: 'it has not answered in time, and the request leaves inputs to it' });
  const { positions, layout } = model;
  const { columns } = questions;
  const imputed: string[] = [];
  const numbers = new Array<number>(positions.numbers.length);
  for (let c = 0; c < numbers.length; c++) {
    numbers[c] = (columns[positions.numbers[c]]?.[row] as number) ?? stored?.numbers[c] ?? Number.NaN;
    if (Number.isNaN(numbers[c])) imputed.push(layout.numbers[c]);
  }
  const texts = new Array<string>(positions.texts.length);
  for (let c = 0; c < texts.length; c++) {
    texts[c] = (columns[positions.texts[c]]?.[row] as string) ?? stored?.texts[c] ?? '';
    if (texts[c] === '') imputed.push(layout.texts[c]);
  }
  const entityTime = entityTimeOf(model, questions, row, stored);
  return {
    numbers,
    texts,
    imputed,
    entityTime,
    behindMs: stored?.behindMs ?? 0,
    stale: staleOf(model, questions, stored),
  };
}

/** I4: what the caller sent itself is as fresh as it says. */
function staleOf(
  { layout, positions }: ServedModel,
  { columns }: Questions,
  stored: StoredRow | undefined,
): readonly string[] {
  if (!stored?.stale.length) return none;
  return stored.stale.filter((name) => !columns[positions.numbers[layout.numbers.indexOf(name)]]);
}

const none: readonly string[] = [];

function entityTimeOf(model: ServedModel, { columns }: Questions, row: number, stored?: FeatureRow | StoredRow) {
  const sent = columns[model.entityTime]?.[row] as string | undefined;
  return sent ? timeOf(sent) : stored?.entityTime?.getTime();
}

function unknownEntity(model: ServedModel, entity: string): Error {
  const inputs = [...model.inputs.values()].filter(({ own }) => own).map(({ name }) => name);
  return errors.UNKNOWN_ENTITY({ entity, inputs });
}
