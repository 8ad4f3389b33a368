/**
 * How far time has come, as the document and the log have it, and the one way in which a tick enters the log.
 *
 * I1  Time never goes back: whatever is the later of document and log holds.
 * I2  A tick's id is the hash of its instant: told again, it is the same tick, with the same tick before it.
 * I3  One of a replay and the live clock speaks, never both: the document's mode says which, and changes by
 *     compare-and-set. A house of old, without the document, is its newest tick's.
 */
import { createHash } from 'node:crypto';
import { Bus } from '@driftloop/bus';
import { events, TimePassed } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { type ClockDocument, ClockDocuments } from './clock.documents.js';

/** Events read at once in search of the newest tick. */
const lookBack = 20;

/** Where time stands. Epoch ms. */
export interface ClockState {
  readonly mode: ClockDocument['mode'] | undefined;
  readonly now: number | undefined;
  /** The tick before `now`. */
  readonly previous: number | undefined;
  /** Whether the tick of `now` is in the log. */
  readonly told: boolean;
  /** The document as it was read. */
  readonly document: ClockDocument | null;
}

@Injectable()
export class ClockStates {
  constructor(
    private readonly bus: Bus,
    private readonly documents: ClockDocuments,
  ) {}

  async find(): Promise<ClockState> {
    const document = await this.documents.find();
    const last = await this.newest();
    const logged = last?.now?.getTime() ?? Number.NEGATIVE_INFINITY;
    const mode = document?.mode ?? (last && (last.replay ? 'replay' : 'live'));
    if (document && document.now !== null && document.now > logged) {
      const { now, previous } = document;
      return { mode, now, previous: previous ?? undefined, told: document.told, document };
    }
    const now = last?.now?.getTime();
    return { mode, now, previous: last?.previous?.getTime(), told: true, document };
  }

  /** Keeps how far time has come; false where somebody was faster (I3). */
  keep({ document }: ClockState, mode: ClockDocument['mode'], now: number | undefined, previous?: number, told = true) {
    return this.documents.replace(document, { mode, now: now ?? null, previous: previous ?? null, told });
  }

  /** Keeps that a person has accepted the machine's clock as it is. */
  async accept(state: ClockState, wall: number, by: string, note: string): Promise<void> {
    const { mode = 'live', now, previous, told, document } = state;
    if (!document) await this.keep(state, mode, now, previous, told);
    await this.documents.accept(wall, by, note);
  }

  /** I2 */
  async tell(now: number, previous: number | undefined, replay: boolean): Promise<void> {
    const { topic, key, payload } = events.timePassed;
    const before = previous === undefined ? undefined : new Date(previous);
    const tick = TimePassed.fromPartial({ now: new Date(now), replay, previous: before });
    const id = createHash('sha256')
      .update(`${topic}/${new Date(now).toISOString()}`)
      .digest('hex')
      .slice(0, 32);
    await this.bus.publish([{ id, topic, key: key(tick), time: now, source: 'clock', data: payload.toJSON(tick) }]);
  }

  /** The newest tick of the log; what is no tick, since anybody can write to a log, is passed over. */
  private async newest(): Promise<TimePassed | undefined> {
    const [end] = await this.bus.ends(events.timePassed.topic);
    if (!end) return undefined;
    for (let from = end; from > 0; ) {
      from = Math.max(0, from - lookBack);
      const heard = await this.bus.read(events.timePassed.topic, 0, from, lookBack);
      const ticks = heard.map(({ data }) => tickOf(data)).filter((tick) => tick?.now);
      if (ticks.length > 0) return ticks.at(-1);
    }
    return undefined;
  }
}

function tickOf(data: unknown): TimePassed | undefined {
  try {
    return TimePassed.fromJSON(data);
  } catch {
    return undefined;
  }
}
