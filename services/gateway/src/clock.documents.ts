/**
 * What the clock remembers: how far time has come and who says so. One document, the only one that the gateway owns: the
 * topic forgets its ticks after a while, and time must not go back then either.
 */
import { isDuplicateKey } from '@driftloop/documents';
import { Connection } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { type Model, Schema } from 'mongoose';

/** Times are epoch ms. */
export interface ClockDocument {
  _id: 'clock';
  mode: 'live' | 'replay';
  now: number | null;
  /** The tick before `now`. */
  previous: number | null;
  /** Whether the tick of `now` is in the log. */
  told: boolean;
  /** The machine's clock as a person has accepted it, however far it was from `now`; who that was, and why. */
  accepted?: number | null;
  acceptedBy?: string;
  acceptedNote?: string;
}

const clockSchema = new Schema<ClockDocument>(
  {
    ...{ _id: String, mode: String, now: Number, previous: Number, told: Boolean },
    ...{ accepted: Number, acceptedBy: String, acceptedNote: String },
  },
  { versionKey: false },
);

@Injectable()
export class ClockDocuments {
  private readonly clocks: Model<ClockDocument>;

  constructor(connection: Connection) {
    this.clocks = connection.model<ClockDocument>('Clock', clockSchema, 'clock');
  }

  find(): Promise<ClockDocument | null> {
    return this.clocks.findById('clock').lean<ClockDocument>().exec();
  }

  /** Keeps that the machine's clock was accepted as it is (epoch ms). */
  async accept(accepted: number, acceptedBy: string, acceptedNote: string): Promise<void> {
    await this.clocks.updateOne({ _id: 'clock' }, { $set: { accepted, acceptedBy, acceptedNote } });
  }

  /** Puts `to` in the place of `from`; false where somebody was faster. */
  async replace(from: ClockDocument | null, to: Omit<ClockDocument, '_id'>): Promise<boolean> {
    if (from) return (await this.clocks.updateOne({ ...from }, { $set: to })).matchedCount > 0;
    try {
      await this.clocks.create({ _id: 'clock', ...to });
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }
}
