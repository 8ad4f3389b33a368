/** For specs: a scoring thread that scores 1, and dies when a graph says so. */
import { parentPort } from 'node:worker_threads';

const held = new Set();
parentPort.on('message', ({ id, kind, graph, key, keys, columns }) => {
  if (kind === 'load' && graph.path === 'broken') return parentPort.postMessage({ id, failure: { message: 'broken' } });
  if (kind === 'load') held.add(graph.key);
  if (kind === 'drop') held.delete(key);
  if (kind !== 'score') return parentPort.postMessage({ id });
  if (keys.includes('deadly')) process.exit(7);
  const scores = new Float64Array(columns.rows).fill(1);
  const results = keys.map((k) => (held.has(k) ? { scores, ms: 0 } : { error: 'it is not loaded', ms: 0 }));
  parentPort.postMessage({ id, results });
});
