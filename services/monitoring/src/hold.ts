/**
 * Pausing: a person says it, the next tick acts on it. While a loop is paused its signals are measured and told, and no
 * cycle opens; one that is open goes on.
 *
 * I1  A command is dated at the last tick and acted on by the next one, once: which tick that was is kept, so that the tick done
 *     again finds the same. The decision (in the ledger, with loop.held) is the tick's; the note is in the record alone.
 * I2  A person who lets the loop go on also closes the breaker: that is said even where nothing was paused.
 */
import { decision, events, LoopHeld, type PauseRequest } from '@driftloop/contracts';
import { type Cause, emission, isDuplicateKey } from '@driftloop/documents';
import { WallClock } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { type HoldDocument, HoldDocuments } from './holds.documents.js';
import { LoopDocuments } from './loop.documents.js';
import type { Tick } from './memory.js';
import { Told } from './told.js';
import type { ModelView } from './view.js';

/** How a loop stands after a tick. */
export interface Held {
  readonly paused: boolean;
  /** Whether this tick has acted on a command. */
  readonly changed: boolean;
}

@Injectable()
export class Hold {
  constructor(
    private readonly documents: HoldDocuments,
    private readonly loop: LoopDocuments,
    private readonly told: Told,
    private readonly clock: WallClock,
  ) {}

  /** A person's word; the same again, with nothing to say to the breaker, is nothing. Throws HOLD_RACED (retriable). */
  async say(series: string, { paused, note }: PauseRequest, by: string, breakerOpen: boolean): Promise<void> {
    const last = await this.documents.last(series);
    const isNews = (last?.paused ?? false) !== paused;
    if (!isNews && !(breakerOpen && !paused)) return;
    const number = (last?.number ?? 0) + 1;
    const time = (await this.loop.clock())?.now ?? 0;
    const who = { paused, note, by, time, said: new Date(this.clock.now()), acted: null };
    try {
      await this.documents.holds.create({ _id: `${series}/${number}`, series, number, ...who });
    } catch (error) {
      throw isDuplicateKey(error) ? errors.HOLD_RACED({ series }) : error;
    }
  }

  /** Acts on what was said by the tick before, in order. */
  async act(view: ModelView, { now, previous }: Tick, cause: Cause): Promise<Held> {
    const holds = await this.documents.of(view.series);
    const due = holds.filter(({ acted, time }) => acted === now || (acted === null && time <= (previous ?? now)));
    for (const hold of due) {
      await this.tell(view, hold, now, cause);
      await this.documents.holds.updateOne({ _id: hold._id, acted: null }, { $set: { acted: now } });
    }
    const done = holds.filter((hold) => due.includes(hold) || (hold.acted !== null && hold.acted <= now));
    return { paused: done.at(-1)?.paused ?? false, changed: due.length > 0 };
  }

  private async tell(view: ModelView, { _id, paused, note }: HoldDocument, now: number, cause: Cause): Promise<void> {
    const outcome = paused ? 'paused' : 'resumed';
    const reasons = [paused ? 'a person paused the loop: no cycle opens' : 'a person let the loop go on'];
    const said = decision({ kind: 'hold', outcome, subject: _id, time: now, reasons });
    const { tenant, model } = view;
    const held = { tenant, model, paused, note, eventTime: new Date(now), by: 'person', decision: said };
    await this.told.tell(view, said, [emission(events.loopHeld, LoopHeld.fromPartial(held), now)], cause);
  }
}
