/**
 * For specs: runs a graph by onnxruntime in a thread of its own, since its native tensors are not of jest's realm.
 * Feeds are columns by input name; the answer is the output columns by name.
 */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { disableRuntimeTelemetry } from '../runtime.js';

export type GraphFeeds = Readonly<Record<string, readonly number[] | readonly string[] | Float64Array>>;

const program = `
const { parentPort, workerData } = require('node:worker_threads');
const { InferenceSession, Tensor } = require(workerData.runtime);
(async () => {
  const session = await InferenceSession.create(workerData.bytes);
  const feeds = {};
  for (const [name, column] of Object.entries(workerData.feeds))
    feeds[name] = typeof column[0] === 'string'
      ? new Tensor('string', column, [column.length, 1])
      : new Tensor('float64', Float64Array.from(column), [column.length, 1]);
  const outputs = await session.run(feeds);
  parentPort.postMessage(Object.fromEntries(Object.entries(outputs).map(([name, t]) => [name, { dims: t.dims, data: [...t.data] }])));
})().catch((error) => { throw error; });
`;

export function runGraph(
  bytes: Uint8Array,
  feeds: GraphFeeds,
): Promise<Record<string, { dims: number[]; data: number[] }>> {
  const runtime = createRequire(import.meta.url).resolve('onnxruntime-node');
  disableRuntimeTelemetry();
  const worker = new Worker(program, { eval: true, workerData: { runtime, bytes, feeds } });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
