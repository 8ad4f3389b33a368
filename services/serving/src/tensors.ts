/** Tensors of the Open Inference Protocol, to and from plain columns. Every fault names the input and what to send. */
import { isUtf8 } from 'node:buffer';
import { type inference, isKept, msOfTime, numberAdvice, wholeTextAdvice } from '@driftloop/contracts';
import { errors } from './errors.js';
import type { ModelInput } from './served-models.js';

/** A column's values: numbers, or texts (times are texts that have been checked). */
export type Column = readonly number[] | readonly string[];

type Tensor = inference.ModelInferRequest_InferInputTensor;
type Request = Pick<inference.ModelInferRequest, 'inputs' | 'rawInputContents'>;

/** Limits of one request: rows, and characters of one text. */
export const maxRows = 1000;
export const maxText = 1000;

const numeric = new Map<string, { bytes: number; read: (raw: Buffer, at: number) => number }>([
  ['FP64', { bytes: 8, read: (raw, at) => raw.readDoubleLE(at) }],
  ['FP32', { bytes: 4, read: (raw, at) => raw.readFloatLE(at) }],
  ['INT64', { bytes: 8, read: (raw, at) => Number(raw.readBigInt64LE(at)) }],
  ['INT32', { bytes: 4, read: (raw, at) => raw.readInt32LE(at) }],
]);

/** The OIP datatype of an input. */
export const datatypeOf = (kind: ModelInput['kind']): string => (kind === 'number' ? 'FP64' : 'BYTES');

/** Epoch ms of an RFC 3339 time that every service takes; NaN where it is none. */
export const timeOf = (text: string): number => msOfTime(text);

/** What a time has to be, for whoever sent another. */
export const timeAdvice = 'send RFC 3339 between 1900 and 2200, such as 2013-02-14T10:00:00Z';

/**
 * Reads a request's tensors; columns stand at their inputs' positions. Shapes are [n] or [n,1], the same n for all, at
 * most 1000 rows; contents are typed or raw. Throws UNKNOWN_INPUT, WRONG_DATATYPE, WRONG_SHAPE, WRONG_CONTENTS or
 * TOO_MANY_ROWS.
 */
export function readTensors(
  { inputs, rawInputContents }: Request,
  known: ReadonlyMap<string, ModelInput>,
): { rows: number; columns: (Column | undefined)[] } {
  const columns = new Array<Column | undefined>(known.size).fill(undefined);
  const raw = rawInputContents.length > 0;
  if (raw && rawInputContents.length !== inputs.length) {
    const problem = `${inputs.length} inputs but ${rawInputContents.length} raw contents; send one for each, in order`;
    throw errors.WRONG_CONTENTS({ input: '(all)', problem });
  }
  let rows = 0;
  for (let i = 0; i < inputs.length; i++) {
    const tensor = inputs[i];
    const input = known.get(tensor.name);
    if (!input) throw errors.UNKNOWN_INPUT({ input: tensor.name.slice(0, 100), known: [...known.keys()] });
    if (columns[input.position])
      throw errors.WRONG_CONTENTS({ input: tensor.name, problem: 'sent twice; send it once' });
    rows = rowsOf(tensor, rows);
    columns[input.position] = readColumn(tensor, input, rows, raw ? rawInputContents[i] : undefined);
  }
  return { rows: rows || 1, columns };
}

function rowsOf({ name, shape }: Tensor, others: number): number {
  const n = shape[0];
  const wrong = (expected: string) =>
    errors.WRONG_SHAPE({ input: name, expected, found: `[${shape.slice(0, 5).join(',')}]` });
  if (!Number.isSafeInteger(n) || n < 1 || shape.length > 2 || (shape[1] ?? 1) !== 1)
    throw wrong('[n,1] with n of 1 or more');
  if (n > maxRows) throw errors.TOO_MANY_ROWS({ rows: n, limit: maxRows });
  if (others && others !== n) throw wrong(`[${others},1] like the other inputs`);
  return n;
}

function readColumn(tensor: Tensor, { kind }: ModelInput, rows: number, raw: Buffer | undefined): Column {
  const { name: input, datatype: found } = tensor;
  if (kind === 'number') {
    if (!numeric.has(found)) throw errors.WRONG_DATATYPE({ input, expected: 'FP64 (or FP32, INT64, INT32)', found });
    const numbers = counted(input, rows, raw ? rawNumbers(input, found, raw) : typedNumbers(tensor));
    if (raw && found === 'INT64') checkWhole(input, numbers);
    else checkSize(input, numbers);
    return numbers;
  }
  if (found !== 'BYTES') throw errors.WRONG_DATATYPE({ input, expected: 'BYTES', found });
  const bytes = counted(input, rows, raw ? rawBytes(input, raw, rows) : (tensor.contents?.bytesContents ?? []));
  const values = bytes.map((b, row) => textOf(input, b, row));
  for (const value of values) checkText(input, kind, value);
  return values;
}

/** A text is what its bytes say, or none: a graph would end it at a NUL, and every byte that is no UTF-8 would be the same. */
function textOf(input: string, bytes: Buffer, row: number): string {
  if (isUtf8(bytes) && !bytes.includes(0)) return bytes.toString('utf8');
  throw errors.WRONG_CONTENTS({ input, problem: `the text of row ${row} cannot be kept as it is; ${wholeTextAdvice}` });
}

function checkText(input: string, kind: ModelInput['kind'], value: string): void {
  if (value.length > maxText) {
    const problem = `a text of ${value.length} characters; send at most ${maxText}`;
    throw errors.WRONG_CONTENTS({ input, problem });
  }
  if (kind !== 'time' || !Number.isNaN(timeOf(value))) return;
  const problem = `"${value.slice(0, 40)}" is not a time; ${timeAdvice}`;
  throw errors.WRONG_CONTENTS({ input, problem });
}

function counted<T>(input: string, rows: number, values: readonly T[]): readonly T[] {
  if (values.length === rows) return values;
  const problem = `the shape says ${rows} rows, the contents hold ${values.length}; send one value a row, in the field of the datatype`;
  throw errors.WRONG_CONTENTS({ input, problem });
}

function typedNumbers({ datatype, contents }: Tensor): readonly number[] {
  if (!contents) return [];
  if (datatype === 'FP64') return contents.fp64Contents;
  if (datatype === 'FP32') return contents.fp32Contents;
  return datatype === 'INT64' ? contents.int64Contents : contents.intContents;
}

/** In typed contents the door has checked them. */
function checkWhole(input: string, numbers: readonly number[]): void {
  const row = numbers.findIndex((number) => !Number.isSafeInteger(number));
  if (row < 0) return;
  const problem = `row ${row} is beyond ±${Number.MAX_SAFE_INTEGER}, where whole numbers collapse; send smaller ones`;
  throw errors.WRONG_CONTENTS({ input, problem });
}

function checkSize(input: string, numbers: readonly number[]): void {
  const row = numbers.findIndex((number) => !isKept(number));
  if (row >= 0) throw errors.WRONG_CONTENTS({ input, problem: `row ${row} is ${numbers[row]}; ${numberAdvice}` });
}

function rawNumbers(input: string, datatype: string, raw: Buffer): number[] {
  const { bytes, read } = numeric.get(datatype)!;
  if (raw.length % bytes) {
    const problem = `${raw.length} raw bytes are no whole number of ${datatype}; send ${bytes} bytes a row`;
    throw errors.WRONG_CONTENTS({ input, problem });
  }
  const values = new Array<number>(raw.length / bytes);
  for (let i = 0; i < values.length; i++) values[i] = read(raw, i * bytes);
  return values;
}

/** BYTES in raw form: each element is its length (4 bytes, little-endian) and its bytes. Stops at one row too many. */
function rawBytes(input: string, raw: Buffer, rows: number): Buffer[] {
  const elements: Buffer[] = [];
  for (let at = 0; at < raw.length && elements.length <= rows; ) {
    const end = raw.length - at >= 4 ? at + 4 + raw.readUInt32LE(at) : Number.POSITIVE_INFINITY;
    if (end > raw.length) {
      const problem = 'raw BYTES end in the middle of an element; send a 4-byte length and the bytes for each';
      throw errors.WRONG_CONTENTS({ input, problem });
    }
    elements.push(raw.subarray(at + 4, end));
    at = end;
  }
  return elements;
}

/** Raw little-endian FP64 of an output column. */
export function rawDoubles(values: readonly number[]): Buffer {
  const raw = Buffer.alloc(values.length * 8);
  for (let i = 0; i < values.length; i++) raw.writeDoubleLE(values[i], i * 8);
  return raw;
}
