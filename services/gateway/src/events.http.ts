/**
 * The event stream's door: GET /v1/events?topics=a,b&after=earliest|latest|<event id>. A browser that connects again
 * says what it heard last in a header, to the same URL: the header goes before `after`.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { events } from '@driftloop/contracts';
import { Metrics } from '@driftloop/service';
import { Controller, Get, Head, Header, Headers, HttpCode, Query, Res } from '@nestjs/common';
import { errors } from './errors.js';
import { EventStream } from './event-stream.js';
import { optionalText } from './request.js';

const maxStreams = 64;
const known = Object.values(events).map((event) => event.topic);

@Controller('v1/events')
export class EventsDoor {
  private open = 0;
  private refused = 0;

  constructor(
    private readonly stream: EventStream,
    metrics: Metrics,
  ) {
    metrics.queue('event streams', maxStreams, () => ({ depth: this.open, refused: this.refused }));
  }

  /** Express would answer HEAD with the stream itself, which never ends. */
  @Head()
  @HttpCode(200)
  @Header('content-type', 'text/event-stream')
  @Header('cache-control', 'no-store')
  head(): void {}

  @Get()
  async follow(
    @Query() query: Record<string, unknown>,
    @Headers() headers: Record<string, string | undefined>,
    @Res() response: ServerResponse,
  ): Promise<void> {
    // What is there twice is a list.
    const [topics, after] = ['topics', 'after'].map((name) => optionalText(query, name));
    const wanted = topics ? topics.split(',') : known;
    for (const topic of wanted) if (!known.includes(topic)) throw errors.UNKNOWN_TOPIC({ topic, known });
    if (this.open >= maxStreams) {
      this.refused++;
      throw errors.TOO_MANY_STREAMS({ limit: maxStreams });
    }
    const position = await this.stream.begin(wanted, headers['last-event-id'] ?? (after || 'latest'));
    await this.write(response, position);
  }

  private async write(response: ServerResponse, position: Awaited<ReturnType<EventStream['begin']>>): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': driftloop\n\n');
    this.open++;
    try {
      for await (const text of this.stream.follow(position, gone.signal))
        if (!response.write(text)) await once(response, 'drain', { signal: gone.signal }).catch(() => undefined);
    } finally {
      this.open--;
      response.end();
    }
  }
}
