/** Replaying a policy over recorded history through the gateway, with its progress as it comes. */
import { LoopError, parseModelSpec, SimulateReply } from '@driftloop/contracts';
import { CallFailed } from './failure.js';

export interface SimulateOptions {
  /** Starts that the mean is taken over; the service's default is 12. */
  readonly jitters?: number;
  readonly seed?: number;
  /** Ends the simulation. */
  readonly signal?: AbortSignal;
}

/** Progress, then the report: each a SimulateReply. The spec is YAML or JSON. Throws CallFailed; leaving the loop ends the simulation. */
export async function* simulate(
  url: string,
  headers: Record<string, string>,
  spec: string,
  { jitters = 0, seed = 0, signal }: SimulateOptions = {},
): AsyncGenerator<SimulateReply> {
  const response = await fetch(`${url}/v1/models/${encodeURIComponent(nameOf(spec))}/simulate`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ spec, jitters, seed }),
    signal,
  }).catch((error: Error) => {
    if (signal?.aborted) throw error;
    throw new CallFailed('UNREACHABLE', `no gateway at ${url} (${error.message}); is Driftloop running?`, true);
  });
  if (!response.ok || !response.body) {
    const problem = (await response.json().catch(() => ({}))) as Partial<CallFailed>;
    throw failure(problem, response.status);
  }
  let reported = false;
  for await (const value of lines(response.body)) {
    if (value.error) throw failure(value.error, 500);
    const reply = SimulateReply.fromJSON(value);
    reported ||= reply.part?.$case === 'report';
    yield reply;
  }
  if (!reported) throw new CallFailed('SIMULATION_ENDED', 'the simulation ended without a report; see the log', true);
}

function nameOf(spec: string): string {
  try {
    return parseModelSpec(spec).metadata.name;
  } catch (error) {
    if (!(error instanceof LoopError)) throw error;
    throw new CallFailed(error.code, error.message, false, error.details);
  }
}

async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<{ error?: Partial<CallFailed> }> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop()!;
    for (const part of parts) if (part) yield JSON.parse(part);
  }
}

const failure = ({ code, message, retriable, details }: Partial<CallFailed>, status: number): CallFailed =>
  new CallFailed(code ?? `HTTP_${status}`, message ?? `HTTP ${status}`, retriable ?? status >= 500, details);
