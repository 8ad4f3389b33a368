/**
 * Runs ONNX sessions off the event loop: loads and drops graphs by key, scores batches of rows with several of them.
 *
 * I1  What is run is what was checked: the bytes are read once, hashed, looked into, and made a session of.
 * I2  A batch that needs a graph which is still being loaded waits for it.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { parentPort } from 'node:worker_threads';
import type { ModelSpec } from '@driftloop/contracts';
import { checkInterface, inspectGraph } from '@driftloop/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** A graph to load: its key (its SHA-256), the file with its bytes, the spec that it is of, the spec's columns. */
export interface Graph {
  readonly key: string;
  readonly path: string;
  readonly spec: ModelSpec;
  readonly numbers: readonly string[];
  readonly texts: readonly string[];
}

/** Rows as columns: the values of one column for all rows, then those of the next. */
export interface Columns {
  readonly rows: number;
  readonly numbers: Float64Array;
  readonly texts: readonly string[];
}

export type ScoringRequest =
  | { id: number; kind: 'load'; graph: Graph }
  | { id: number; kind: 'drop'; key: string }
  | { id: number; kind: 'score'; keys: readonly string[]; columns: Columns };

/** One graph's scores, or why there are none; wall ms that it took. */
export interface GraphScores {
  readonly scores?: Float64Array;
  readonly error?: string;
  readonly ms: number;
}

export interface ScoringReply {
  readonly id: number;
  readonly failure?: { readonly message: string; readonly code?: string };
  readonly results?: readonly GraphScores[];
}

interface Loaded {
  readonly session: InferenceSession;
  readonly numbers: readonly string[];
  readonly texts: readonly string[];
}
type Feeds = Record<string, Tensor>;

const graphs = new Map<string, Promise<Loaded>>();

parentPort!.on('message', async (request: ScoringRequest) => {
  const { id } = request;
  let reply: ScoringReply;
  try {
    reply = { id, results: await handle(request) };
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    reply = { id, failure: { message, code } };
  }
  parentPort!.postMessage(reply);
});

async function handle(request: ScoringRequest): Promise<GraphScores[] | undefined> {
  if (request.kind === 'score') return scoreAll(request.keys, request.columns);
  if (request.kind === 'drop') return drop(request.key);
  const loading = load(request.graph);
  graphs.set(request.graph.key, loading);
  loading.catch(() => graphs.delete(request.graph.key));
  await loading;
}

/** I1 */
async function load({ key, path, spec, numbers, texts }: Graph): Promise<Loaded> {
  const bytes = await readFile(path);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== key) throw new Error(`its bytes have SHA-256 ${found}, not ${key}: they were changed`);
  checkInterface(inspectGraph(bytes), spec);
  const options = {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential' as const,
    logSeverityLevel: 4 as const,
  };
  return { session: await InferenceSession.create(bytes, options), numbers, texts };
}

async function drop(key: string): Promise<undefined> {
  const loaded = graphs.get(key);
  graphs.delete(key);
  await (await loaded?.catch(() => undefined))?.session.release();
}

/** All graphs of a batch are of one spec, so that they share their feeds. */
async function scoreAll(keys: readonly string[], columns: Columns): Promise<GraphScores[]> {
  const results: GraphScores[] = [];
  let feeds: Feeds | undefined;
  for (const key of keys) {
    const began = performance.now();
    try {
      const graph = await graphs.get(key);
      if (!graph) throw new Error('it is not loaded');
      feeds ??= feedsOf(graph, columns);
      const { probability } = await graph.session.run(feeds, ['probability']);
      results.push({ scores: probability.data as Float64Array, ms: performance.now() - began });
    } catch (error) {
      results.push({ error: (error as Error).message, ms: performance.now() - began });
    }
  }
  return results;
}

function feedsOf({ numbers, texts }: Loaded, columns: Columns): Feeds {
  const { rows } = columns;
  const feeds: Feeds = Object.create(null);
  for (let c = 0; c < numbers.length; c++)
    feeds[numbers[c]] = new Tensor('float64', columns.numbers.subarray(c * rows, (c + 1) * rows), [rows, 1]);
  for (let c = 0; c < texts.length; c++)
    feeds[texts[c]] = new Tensor('string', columns.texts.slice(c * rows, (c + 1) * rows), [rows, 1]);
  return feeds;
}
