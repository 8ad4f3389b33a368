/**
 * Hearing facts from Kafka in a group of one's own, typed by the event map.
 *
 * I1  At least once: a place is committed only past records that are done (attention.ts), at the latest a second after, with
 *     each fetch, and when the consumption stops. What was not committed is told again.
 * I2  Events of a partition are handled one after another, so those of one key in order.
 * I3  A consumption that ends by itself says why: `ended` rejects. It never goes past an event silently.
 * I4  While the brokers are away kafkajs begins anew, without end; a stop in the midst of that is one all the same: what
 *     had begun to join leaves as soon as it is in.
 */
import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { CallFailed } from '../failure.js';
import { attend } from './attention.js';
import { type Handlers, type Poison, type Route, routesOf } from './event.js';
import { type Place, placesOf, type Start } from './places.js';
import { checkTopics, failureOf, type KafkaServers, kafkaOf, physical } from './servers.js';

export interface ConsumptionOptions {
  readonly servers: KafkaServers;
  /** Processes of one group share the partitions; each group hears everything. */
  readonly group: string;
  readonly handlers: Handlers;
  /** Default `committed`. */
  readonly from?: Start;
  /** How often a handler is tried whose error is not `retriable: true`. Default 5. */
  readonly attempts?: number;
  /** Before the second try, ms; it doubles, up to 5 s. Default 100. */
  readonly retryDelayMs?: number;
  /** Partitions whose events are handled at the same time. Default 1. */
  readonly sideBySide?: number;
  /** After so long without a sign of life the partitions go to others, ms. Default 30 s; brokers want 6 s or more. */
  readonly sessionMs?: number;
  /** Takes what cannot be read or handled, to keep it: when it returns, the group goes on. Without it the consumption ends. */
  readonly poison?: (poison: Poison) => Promise<void> | void;
  /** Stops the consumption, as `stop` does. */
  readonly signal?: AbortSignal;
}

/** A consumption under way. */
export interface Consumption {
  /** Resolves when it was stopped; rejects with CallFailed when it cannot go on. Await it: it is where failures show. */
  readonly ended: Promise<void>;
  /** Waits for handlers that are at work, commits and leaves the group. */
  stop(): Promise<void>;
}

/**
 * Resolves once it has its place in the group: what is told from now on is not missed. Throws CallFailed: UNREACHABLE,
 * UNKNOWN_TOPIC, GROUP_BUSY; TypeError where a handler is of no event.
 */
export async function consume(options: ConsumptionOptions): Promise<Consumption> {
  const { servers, group, from = 'committed', signal } = options;
  const routes = routesOf(options.handlers);
  if (routes.length === 0) throw new TypeError('handlers: give one at least');
  signal?.throwIfAborted();
  const topics = routes.map(({ topic }) => topic);
  await checkTopics(servers, topics);
  const places = await placesOf(servers, group, topics, from);
  const running = new Running(options, routes);
  await running.start(places);
  if (signal?.aborted) void running.stop();
  signal?.addEventListener('abort', () => void running.stop(), { once: true });
  return running;
}

const commitMs = 1000;

class Running implements Consumption {
  private readonly consumer: Consumer;
  private readonly routes: ReadonlyMap<string, Route>;
  private readonly stopping = new AbortController();
  private readonly end = Promise.withResolvers<void>();
  private readonly sessionMs: number;
  readonly ended = this.end.promise;
  private finished: Promise<void> | undefined;

  constructor(
    private readonly options: ConsumptionOptions,
    routes: readonly Route[],
  ) {
    const { servers, group, sessionMs = 30_000 } = options;
    this.sessionMs = sessionMs;
    this.routes = new Map(routes.map((route) => [physical(servers, route.topic), route]));
    this.consumer = kafkaOf(servers).consumer({
      groupId: group,
      sessionTimeout: sessionMs,
      heartbeatInterval: sessionMs / 10,
      maxWaitTimeInMs: 500,
      allowAutoTopicCreation: false,
      retry: { retries: 5, restartOnFailure: async () => !this.stopping.signal.aborted },
    });
    this.consumer.on(this.consumer.events.FETCH_START, () => this.leaveAgain());
  }

  async start(places: readonly Place[]): Promise<void> {
    const { servers, sideBySide = 1 } = this.options;
    const { GROUP_JOIN, CRASH } = this.consumer.events;
    const joined = Promise.withResolvers<void>();
    const crashed = this.consumer.on(CRASH, ({ payload }) => {
      if (payload.restart) return;
      joined.reject(failureOf(servers, payload.error));
      void this.finish(failureOf(servers, payload.error));
    });
    const moved = this.consumer.on(GROUP_JOIN, () => {
      moved();
      for (const { topic, partition, offset } of places)
        this.consumer.seek({ topic, partition, offset: String(offset) });
      joined.resolve();
    });
    try {
      await this.consumer.connect();
      await this.consumer.subscribe({ topics: [...this.routes.keys()], fromBeginning: true });
      await this.consumer.run({
        eachBatchAutoResolve: false,
        autoCommitInterval: commitMs,
        partitionsConsumedConcurrently: sideBySide,
        eachBatch: (payload) => this.take(payload),
      });
      await joined.promise;
    } catch (error) {
      crashed();
      await this.consumer.disconnect().catch(() => undefined);
      throw failureOf(servers, error);
    }
  }

  stop(): Promise<void> {
    return this.finish();
  }

  private async take({ batch, isRunning, isStale, ...group }: EachBatchPayload): Promise<void> {
    const route = this.routes.get(batch.topic)!;
    const beat = setInterval(() => void group.heartbeat().catch(() => undefined), this.sessionMs / 10);
    try {
      for (const message of batch.messages) {
        if (!isRunning() || isStale() || this.stopping.signal.aborted) return;
        const place = { topic: route.topic, partition: batch.partition, offset: Number(message.offset) };
        if (!(await this.attendOrEnd(route, message, place, group.heartbeat))) return;
        group.resolveOffset(message.offset);
        await group.commitOffsetsIfNecessary();
        await group.heartbeat();
      }
    } finally {
      clearInterval(beat);
    }
  }

  /** Whether the record is done. What nobody takes ends the consumption; that the partition has gone is kafkajs's to hear. */
  private async attendOrEnd(route: Route, message: KafkaMessage, place: Place, stillOurs: () => Promise<void>) {
    const { attempts = 5, retryDelayMs = 100, poison } = this.options;
    const options = { attempts, retryDelayMs, poison, signal: this.stopping.signal };
    let lost: unknown;
    const asked = () =>
      stillOurs().catch((error) => {
        lost = error;
        throw error;
      });
    try {
      return await attend(route, message, place, options, asked);
    } catch (error) {
      if (error === lost) throw error;
      void this.finish(error);
      return false;
    }
  }

  private finish(error?: unknown): Promise<void> {
    this.finished ??= this.leave(error);
    return this.finished;
  }

  /** I4: a member that had begun to join when it was stopped. */
  private leaveAgain(): void {
    if (this.stopping.signal.aborted) void this.consumer.disconnect().catch(() => undefined);
  }

  private async leave(error: unknown): Promise<void> {
    this.stopping.abort();
    await this.consumer.disconnect().catch(() => undefined);
    if (error === undefined) this.end.resolve();
    else this.end.reject(error instanceof Error ? error : new CallFailed('HANDLER_FAILED', String(error), false));
  }
}
