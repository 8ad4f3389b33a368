/**
 * The simulation's door: POST /v1/models/:model/simulate {spec, jitters, seed}; newline-delimited JSON: progress, then the report.
 * What goes wrong before the first line is a problem as anywhere; later it is a last line {"error": …}. Hanging up ends the simulation.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { LoopError, parseModelSpec, SimulateReply, SimulateRequest } from '@driftloop/contracts';
import { callStream } from '@driftloop/service';
import { Controller, Headers, Param, Post, Res } from '@nestjs/common';
import { errors } from './errors.js';
import { JsonBody } from './known-fields.js';
import { forwarded, optionalCount, requiredText } from './request.js';
import { Upstreams } from './upstreams.js';

/** Nobody waits longer. */
const longestMs = 24 * 3_600_000;

@Controller('v1/models')
export class SimulateDoor {
  constructor(private readonly upstreams: Upstreams) {}

  @Post(':model/simulate')
  async simulate(
    @Param('model') model: string,
    @JsonBody('spec', 'jitters', 'seed') body: unknown,
    @Headers() headers: Record<string, string | undefined>,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const spec = requiredText(body, 'spec');
    const { name } = parseModelSpec(spec).metadata;
    if (name !== model) throw errors.BODY_INVALID({ field: 'spec', problem: `is of model "${name}", not "${model}"` });
    const [jitters, seed] = [optionalCount(body, 'jitters'), optionalCount(body, 'seed')];
    const request = SimulateRequest.fromPartial({ spec, jitters, seed });
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const { training } = this.upstreams;
    const options = { metadata: forwarded(headers).metadata, deadlineMs: longestMs, signal: gone.signal };
    await write(callStream(training, training.simulate, request, options), response, gone.signal);
  }
}

async function write(
  replies: AsyncIterable<SimulateReply>,
  response: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const line = async (value: unknown) => {
    if (!response.headersSent)
      response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    if (!response.write(`${JSON.stringify(value)}\n`)) await once(response, 'drain', { signal: gone }).catch(() => {});
  };
  try {
    for await (const reply of replies) await line(SimulateReply.toJSON(reply));
    response.end();
  } catch (error) {
    if (gone.aborted) return;
    if (!response.headersSent || !(error instanceof LoopError)) throw error;
    const { code, message, retriable, details } = error;
    await line({ error: { code, message, retriable, details } });
    response.end();
  }
}
