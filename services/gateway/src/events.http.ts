/**
 * The event stream's door: GET /v1/events?topics=a,b&after=earliest|latest|<event id>. A browser that connects again
 * says what it heard last in a header, to the same URL: the header goes before `after`.
 *
 * I1  A stream has a place until it ends, and no caller more than its share of them.
 * I2  A stream whose reader does not read is cut; it may come again, and goes on where it was.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { events } from '@driftloop/contracts';
import { Credentials, Metrics, Places, shared } from '@driftloop/service';
import { Controller, Get, Head, Header, HttpCode, Req, Res } from '@nestjs/common';
import { errors } from './errors.js';
import { EventStream } from './event-stream.js';
import { KnownQuery } from './known-fields.js';
import { optionalText } from './request.js';

const maxStreams = 64;
/** What one caller may have of them. */
const share = 0.5;
/** How long a reader may leave what it was sent unread. */
const unreadMs = 60_000;
const known = Object.values(events).map((event) => event.topic);

@Controller('v1/events')
export class EventsDoor {
  private readonly places = new Places(shared(maxStreams, share), () =>
    errors.TOO_MANY_STREAMS({ limit: maxStreams, share: maxStreams * share }),
  );

  constructor(
    private readonly stream: EventStream,
    private readonly credentials: Credentials,
    metrics: Metrics,
  ) {
    metrics.queue('event streams', maxStreams, () => this.places.state);
  }

  /** Express would answer HEAD with the stream itself, which never ends. */
  @Head()
  @HttpCode(200)
  @Header('content-type', 'text/event-stream')
  @Header('cache-control', 'no-store')
  head(): void {}

  @Get()
  async follow(
    @KnownQuery('topics', 'after') query: Record<string, unknown>,
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
  ): Promise<void> {
    // What is there twice is a list.
    const [topics, after] = ['topics', 'after'].map((name) => optionalText(query, name));
    const wanted = topics ? topics.split(',') : known;
    for (const topic of wanted) if (!known.includes(topic)) throw errors.UNKNOWN_TOPIC({ topic, known });
    const heard = request.headers['last-event-id'];
    const leave = this.enter(request);
    try {
      const position = await this.stream.begin(
        wanted,
        (Array.isArray(heard) ? heard[0] : heard) ?? (after || 'latest'),
      );
      await this.write(response, position);
    } finally {
      leave();
    }
  }

  /** I1. Throws TOO_MANY_STREAMS. */
  private enter({ headers, socket }: IncomingMessage): () => void {
    const { key } = this.credentials.caller(headers.authorization, String(socket.remoteAddress));
    return this.places.take(key);
  }

  private async write(response: ServerResponse, position: Awaited<ReturnType<EventStream['begin']>>): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    // Who hung up before, while it was looked up where to begin, is told of no more.
    if (response.closed) return;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': driftloop\n\n');
    try {
      for await (const text of this.stream.follow(position, gone.signal))
        if (!response.write(text)) await drained(response, gone.signal);
    } finally {
      response.end();
    }
  }
}

/** I2 */
async function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  const late = setTimeout(() => response.destroy(), unreadMs).unref();
  await once(response, 'drain', { signal: gone }).catch(() => undefined);
  clearTimeout(late);
}
