/** What the facts of the outbox's contract are told on. */
import type { Bus, HeardEvent } from '@driftloop/bus';
import { events } from '@driftloop/contracts';
import mongoose, { type Connection, type Model } from 'mongoose';
import { MongooseOutbox, type MongooseOutboxOptions } from '../mongoose-outbox.js';
import { type Cause, type Emission, emission } from '../outbox.js';
import { outboxed } from '../outboxed.js';

/** Where an outbox lives: a connection (each call another process's), and a bus with topic `cycle.closed`, empty. */
export interface OutboxGround {
  readonly bus: Bus;
  connect(): Promise<Connection>;
  close(): Promise<void>;
}

interface Cycle {
  _id: string;
  state?: string;
  n?: number;
}

const schema = new mongoose.Schema<Cycle>({ _id: String, state: String, n: Number }, { optimisticConcurrency: true });
schema.plugin(outboxed);

const { cycleClosed } = events;
export const closed = (cycleId: string): Emission =>
  emission(cycleClosed, cycleClosed.payload.fromPartial({ tenant: 'main', model: 'flights', cycleId }), 1000);
export const because = (id: string): Cause => ({ id, time: 1000, tenant: 'main' });

/** A bus whose publishing a fact can stop. */
export class Gate {
  away = false;
  attempts = 0;
  constructor(readonly bus: Bus) {
    const publish = bus.publish.bind(bus);
    bus.publish = (all) => {
      this.attempts++;
      return this.away ? Promise.reject(new Error('the bus is away')) : publish(all);
    };
  }
}

/** One process: its connection, its model, its outbox. */
export class Replica {
  readonly cycles: Model<Cycle>;
  readonly outbox: MongooseOutbox;
  constructor(
    readonly connection: Connection,
    readonly bus: Bus,
    name: string,
    options: MongooseOutboxOptions = {},
  ) {
    this.outbox = new MongooseOutbox(connection, bus, 'monitoring', {
      retryMs: 2,
      longestRetryMs: 20,
      closeMs: 50,
      ...options,
    });
    this.cycles = connection.model<Cycle>(name, schema);
  }

  raw(id = 'c1') {
    return this.cycles.collection.findOne({ _id: id as never });
  }

  async saveNew(id: string, ...cycles: string[]) {
    const doc = new this.cycles({ _id: id, state: 'open' });
    await this.outbox.save(doc, cycles.map(closed), because(`because-${id}`));
    return doc;
  }
}

export interface World {
  readonly bus: Bus;
  readonly gate: Gate;
  replica(options?: MongooseOutboxOptions): Promise<Replica>;
}

export async function published(bus: Bus): Promise<HeardEvent[]> {
  return bus.read('cycle.closed', 0, 0, 10_000);
}

export async function spoken(bus: Bus): Promise<string[]> {
  return (await published(bus)).map(({ data }) => (data as { cycleId: string }).cycleId);
}

export const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

export type OutboxFact = (title: string, run: (world: World) => Promise<void>) => void;
