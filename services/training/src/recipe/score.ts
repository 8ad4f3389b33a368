/** Runs a model's ONNX bytes over rows of the table, as serving would: the same bytes, one [n,1] tensor a column. */
import type { Column } from '@driftloop/algorithms';
import { type GraphInfo, inspectGraph, PROBABILITY } from '@driftloop/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { TrainingTable } from './table.js';

/** Rows a run: bounds the memory of the tensors. */
const BATCH = 4096;

/** Probabilities of the rows, in their order. A column that the table lacks is fed as missing. */
export async function scoreGraph(bytes: Uint8Array, table: TrainingTable, rows: Int32Array): Promise<Float64Array> {
  const info = inspectGraph(bytes);
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  try {
    const scores = new Float64Array(rows.length);
    for (let from = 0; from < rows.length; from += BATCH) {
      const outputs = await session.run(feeds(info, table, rows.subarray(from, from + BATCH)));
      scores.set(Float64Array.from(outputs[PROBABILITY].data as Float64Array), from);
    }
    return scores;
  } finally {
    await session.release();
  }
}

function feeds(info: GraphInfo, table: TrainingTable, rows: Int32Array): Record<string, Tensor> {
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  return Object.fromEntries(
    info.inputs.map(({ name, datatype }) => {
      const column = byName.get(name);
      const dims = [rows.length, 1];
      if (datatype === 'BYTES') return [name, new Tensor('string', texts(column, rows), dims)];
      const cells = numbers(column, rows);
      return [
        name,
        datatype === 'FP32'
          ? new Tensor('float32', Float32Array.from(cells), dims)
          : new Tensor('float64', cells, dims),
      ];
    }),
  );
}

function texts(column: Column | undefined, rows: Int32Array): string[] {
  if (column?.kind !== 'categorical') return new Array(rows.length).fill('');
  return Array.from(rows, (row) => (column.codes[row] < 0 ? '' : column.categories[column.codes[row]]));
}

function numbers(column: Column | undefined, rows: Int32Array): Float64Array {
  if (column?.kind !== 'numeric') return new Float64Array(rows.length).fill(Number.NaN);
  return Float64Array.from(rows, (row) => column.values[row]);
}
