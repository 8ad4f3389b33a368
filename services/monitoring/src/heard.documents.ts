/**
 * How far rows were heard, by partition. Rows that are there are known by their names; rows whose day has been let go are
 * not, and an event that is heard again would count them a second time, as late ones.
 *
 * I1  Marked after the rows are there: an event that a crash cut off is taken again, and its rows are known.
 */
import type { Cause } from '@driftloop/documents';
import { Connection } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { type Model, Schema } from 'mongoose';

interface HeardDocument {
  /** topic/partition */
  _id: string;
  offset: number;
}

const heardSchema = new Schema<HeardDocument>({ _id: String, offset: Number }, { versionKey: false });

@Injectable()
export class Heard {
  private readonly positions: Model<HeardDocument>;
  private readonly known = new Map<string, number>();

  constructor(connection: Connection) {
    this.positions = connection.model<HeardDocument>('HeardPosition', heardSchema, 'heard_positions');
  }

  /** Whether an event was taken before. */
  async before({ position }: Cause): Promise<boolean> {
    if (!position) return false;
    const _id = `${position.topic}/${position.partition}`;
    if (!this.known.has(_id)) this.known.set(_id, (await this.positions.findById(_id).lean())?.offset ?? -1);
    return this.known.get(_id)! >= position.offset;
  }

  /** I1 */
  async mark({ position }: Cause): Promise<void> {
    if (!position) return;
    const { topic, partition, offset } = position;
    const _id = `${topic}/${partition}`;
    await this.positions.updateOne({ _id }, { $max: { offset } }, { upsert: true });
    this.known.set(_id, offset);
  }
}
