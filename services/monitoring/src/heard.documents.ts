/**
 * Which rows were heard: how far each partition was, and the latest events by their ids. Rows that are there are known by
 * their names; rows whose day has been let go are not, and an event that comes again would count them a second time, as
 * late ones. It comes again from where it was (a place that was not committed), and as another record of the log: whoever
 * publishes does so at least once, and one that stood still in between does it when its events have long been heard.
 *
 * I1  Marked after the rows are there: an event that a crash cut off is taken again, and its rows are known.
 * I2  Of each partition the ids of the last `remembered` events are kept, so that they stay bounded: what is published
 *     again later than that is taken for news.
 */
import type { Cause } from '@driftloop/documents';
import { Connection } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { type Model, Schema } from 'mongoose';

interface HeardPosition {
  /** topic/partition */
  _id: string;
  offset: number;
}

interface HeardEvent {
  /** topic/id */
  _id: string;
  /** topic/partition */
  place: string;
  offset: number;
}

const remembered = 10_000;
/** So many offsets apart older ids are let go. */
const letGoEvery = 500;

const plain = { versionKey: false } as const;
const positionSchema = new Schema<HeardPosition>({ _id: String, offset: Number }, plain);
const eventSchema = new Schema<HeardEvent>({ _id: String, place: String, offset: Number }, plain).index({
  place: 1,
  offset: 1,
});

@Injectable()
export class Heard {
  private readonly positions: Model<HeardPosition>;
  private readonly events: Model<HeardEvent>;
  private readonly known = new Map<string, number>();

  constructor(connection: Connection) {
    this.positions = connection.model<HeardPosition>('HeardPosition', positionSchema, 'heard_positions');
    this.events = connection.model<HeardEvent>('HeardEvent', eventSchema, 'heard_events');
  }

  /** Whether an event was taken before. */
  async before({ id, position }: Cause): Promise<boolean> {
    if (!position) return false;
    const _id = `${position.topic}/${position.partition}`;
    if (!this.known.has(_id)) this.known.set(_id, (await this.positions.findById(_id).lean())?.offset ?? -1);
    if (this.known.get(_id)! >= position.offset) return true;
    return (await this.events.findById(`${position.topic}/${id}`).lean()) !== null;
  }

  /** I1 */
  async mark({ id, position }: Cause): Promise<void> {
    if (!position) return;
    const { topic, partition, offset } = position;
    const place = `${topic}/${partition}`;
    await this.events.updateOne({ _id: `${topic}/${id}` }, { $setOnInsert: { place, offset } }, { upsert: true });
    await this.positions.updateOne({ _id: place }, { $max: { offset } }, { upsert: true });
    this.known.set(place, offset);
    if (offset % letGoEvery === 0) await this.events.deleteMany({ place, offset: { $lt: offset - remembered } });
  }
}
