/** Runs ONNX sessions off the event loop: loads and drops graphs by key, scores batches of rows with several of them. */
import { performance } from 'node:perf_hooks';
import { parentPort } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** What the scorer asks of the worker. Numbers are row-major [rows × number columns], texts likewise. */
export type ScoringRequest =
  | { id: number; kind: 'load'; key: string; path: string; numbers: string[]; texts: string[] }
  | { id: number; kind: 'drop'; key: string }
  | { id: number; kind: 'score'; keys: string[]; rows: number; numbers: Float64Array; texts: string[] };

/** One graph's scores, or why there are none. */
export interface GraphScores {
  scores?: Float64Array;
  error?: string;
  ms: number;
}

export type ScoringReply = { id: number; error?: string; results?: GraphScores[] };

interface Loaded {
  session: InferenceSession;
  numbers: string[];
  texts: string[];
}

const loaded = new Map<string, Loaded>();

parentPort!.on('message', async (request: ScoringRequest) => {
  const reply: ScoringReply = await handle(request).catch((error: Error) => ({ id: request.id, error: error.message }));
  parentPort!.postMessage(reply);
});

async function handle(request: ScoringRequest): Promise<ScoringReply> {
  const { id } = request;
  if (request.kind === 'load') {
    const { key, path, numbers, texts } = request;
    const options = {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential' as const,
      logSeverityLevel: 3 as const,
    };
    loaded.set(key, { session: await InferenceSession.create(path, options), numbers, texts });
  } else if (request.kind === 'drop') {
    await loaded.get(request.key)?.session.release();
    loaded.delete(request.key);
  } else {
    const results: GraphScores[] = [];
    for (const key of request.keys) results.push(await score(key, request));
    return { id, results };
  }
  return { id };
}

async function score(key: string, batch: Extract<ScoringRequest, { kind: 'score' }>): Promise<GraphScores> {
  const began = performance.now();
  const graph = loaded.get(key);
  if (!graph) return { error: 'it is not loaded', ms: 0 };
  try {
    const { probability } = await graph.session.run(feeds(graph, batch), ['probability']);
    return { scores: probability.data as Float64Array, ms: performance.now() - began };
  } catch (error) {
    return { error: (error as Error).message, ms: performance.now() - began };
  }
}

function feeds({ numbers, texts }: Loaded, batch: { rows: number; numbers: Float64Array; texts: string[] }) {
  const { rows } = batch;
  const tensors: Record<string, Tensor> = {};
  numbers.forEach((name, c) => {
    const column = new Float64Array(rows);
    for (let r = 0; r < rows; r++) column[r] = batch.numbers[r * numbers.length + c];
    tensors[name] = new Tensor('float64', column, [rows, 1]);
  });
  texts.forEach((name, c) => {
    const column = Array.from({ length: rows }, (_, r) => batch.texts[r * texts.length + c]);
    tensors[name] = new Tensor('string', column, [rows, 1]);
  });
  return tensors;
}
