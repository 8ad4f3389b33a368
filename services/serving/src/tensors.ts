/** Tensors of the Open Inference Protocol, to and from plain columns. Every fault names the input and what was expected. */
import type { inference } from '@driftloop/contracts';
import { errors } from './errors.js';

export type Column = { kind: 'number'; values: number[] } | { kind: 'text'; values: string[] };
export type InputKind = 'number' | 'text' | 'time';

type Tensor = inference.ModelInferRequest_InferInputTensor;
type Request = inference.ModelInferRequest;

export const maxRows = 1000;
const numeric: Record<string, { bytes: number; read: (raw: Buffer, at: number) => number }> = {
  FP64: { bytes: 8, read: (raw, at) => raw.readDoubleLE(at) },
  FP32: { bytes: 4, read: (raw, at) => raw.readFloatLE(at) },
  INT64: { bytes: 8, read: (raw, at) => Number(raw.readBigInt64LE(at)) },
  INT32: { bytes: 4, read: (raw, at) => raw.readInt32LE(at) },
};

/** The OIP datatype of an input. */
export const datatypeOf = (kind: InputKind): string => (kind === 'number' ? 'FP64' : 'BYTES');

/**
 * Reads a request's tensors by name. Shapes are [n] or [n,1], the same n for all, at most 1000 rows; contents are typed
 * or raw. Throws UNKNOWN_INPUT, WRONG_DATATYPE, WRONG_SHAPE, WRONG_CONTENTS or TOO_MANY_ROWS.
 */
export function readTensors(
  request: Request,
  kinds: ReadonlyMap<string, InputKind>,
): { rows: number; columns: Map<string, Column> } {
  const { inputs, rawInputContents } = request;
  const columns = new Map<string, Column>();
  let rows: number | undefined;
  if (rawInputContents.length && rawInputContents.length !== inputs.length)
    throw errors.WRONG_CONTENTS({
      input: '(all)',
      problem: `${inputs.length} inputs but ${rawInputContents.length} raw contents; send one for each, in order`,
    });
  inputs.forEach((tensor, i) => {
    const kind = kinds.get(tensor.name);
    if (!kind) throw errors.UNKNOWN_INPUT({ input: tensor.name, known: [...kinds.keys()] });
    if (columns.has(tensor.name)) throw errors.WRONG_CONTENTS({ input: tensor.name, problem: 'sent twice' });
    const n = rowsOf(tensor, rows);
    rows = n;
    columns.set(tensor.name, readColumn(tensor, kind, n, rawInputContents[i]));
  });
  return { rows: rows ?? 1, columns };
}

function rowsOf({ name, shape }: Tensor, others: number | undefined): number {
  const [n, one, ...rest] = shape;
  const found = `[${shape.join(',')}]`;
  if (!Number.isSafeInteger(n) || n < 1 || (one ?? 1) !== 1 || rest.length)
    throw errors.WRONG_SHAPE({ input: name, expected: '[n,1] with n of 1 or more', found });
  if (n > maxRows) throw errors.TOO_MANY_ROWS({ rows: n, limit: maxRows });
  if (others !== undefined && others !== n)
    throw errors.WRONG_SHAPE({ input: name, expected: `[${others},1] like the other inputs`, found });
  return n;
}

function readColumn(tensor: Tensor, kind: InputKind, rows: number, raw: Buffer | undefined): Column {
  const { name: input, datatype: found } = tensor;
  if (kind === 'number') {
    if (!(found in numeric)) throw errors.WRONG_DATATYPE({ input, expected: 'FP64 (or FP32, INT64, INT32)', found });
    return { kind: 'number', values: count(input, rows, raw ? rawNumbers(input, found, raw) : typedNumbers(tensor)) };
  }
  if (found !== 'BYTES') throw errors.WRONG_DATATYPE({ input, expected: 'BYTES', found });
  const bytes = raw ? rawBytes(input, raw) : (tensor.contents?.bytesContents ?? []);
  const values = count(input, rows, bytes).map((b) => b.toString('utf8'));
  if (kind === 'time')
    for (const value of values)
      if (Number.isNaN(Date.parse(value)))
        throw errors.WRONG_CONTENTS({
          input,
          problem: `"${value.slice(0, 40)}" is not a time; send RFC 3339, such as 2013-02-14T10:00:00Z`,
        });
  return { kind: 'text', values };
}

function count<T>(input: string, rows: number, values: T[]): T[] {
  if (values.length === rows) return values;
  throw errors.WRONG_CONTENTS({ input, problem: `the shape says ${rows} rows, the contents hold ${values.length}` });
}

function typedNumbers({ datatype, contents }: Tensor): number[] {
  if (!contents) return [];
  if (datatype === 'FP64') return contents.fp64Contents;
  if (datatype === 'FP32') return contents.fp32Contents;
  return datatype === 'INT64' ? contents.int64Contents : contents.intContents;
}

function rawNumbers(input: string, datatype: string, raw: Buffer): number[] {
  const { bytes, read } = numeric[datatype];
  if (raw.length % bytes)
    throw errors.WRONG_CONTENTS({
      input,
      problem: `${raw.length} raw bytes are no whole number of ${datatype} (${bytes} bytes each)`,
    });
  return Array.from({ length: raw.length / bytes }, (_, i) => read(raw, i * bytes));
}

/** BYTES in raw form: each element is its length (4 bytes, little-endian) and its bytes. */
function rawBytes(input: string, raw: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  for (let at = 0; at < raw.length; ) {
    const end = raw.length - at >= 4 ? at + 4 + raw.readUInt32LE(at) : Number.POSITIVE_INFINITY;
    if (end > raw.length)
      throw errors.WRONG_CONTENTS({
        input,
        problem: 'raw BYTES end in the middle of an element (each is a 4-byte length and its bytes)',
      });
    elements.push(raw.subarray(at + 4, end));
    at = end;
  }
  return elements;
}

/** Raw little-endian FP64 of an output column. */
export function rawDoubles(values: readonly number[]): Buffer {
  const raw = Buffer.alloc(values.length * 8);
  for (const [i, value] of values.entries()) raw.writeDoubleLE(value, i * 8);
  return raw;
}
