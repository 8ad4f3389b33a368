/** Stretches that are set aside, as people and other services see them: listed, resolved, as windows, against a trial. */
import {
  dayMs,
  Evidence,
  type ListQuarantineReply,
  type ListQuarantineRequest,
  QuarantineItem,
  QuarantineWindow,
  type ResolveQuarantineRequest,
} from '@driftloop/contracts';
import { WallClock } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { LoopDocuments } from './loop.documents.js';
import type { CycleDocument } from './loop-rows.js';
import { type QuarantineDocument, QuarantineDocuments, stateAt, stateOf } from './quarantine.documents.js';

const shown = { usual: 100, most: 1000 };
const longestNote = 2000;

@Injectable()
export class QuarantineItems {
  constructor(
    private readonly documents: QuarantineDocuments,
    private readonly loop: LoopDocuments,
    private readonly clock: WallClock,
  ) {}

  /** Newest first, at most 1,000. Throws QUARANTINE_STATE_UNKNOWN. */
  async list(tenant: string, { model, state, limit }: ListQuarantineRequest): Promise<ListQuarantineReply> {
    if (!['', 'held', 'released', 'upheld'].includes(state)) throw errors.QUARANTINE_STATE_UNKNOWN({ state });
    const filter = model ? { series: `${tenant}/${model}` } : { tenant };
    const all = await this.documents.items.find(filter).sort({ since: -1, _id: 1 }).lean<QuarantineDocument[]>();
    const items = all.filter((item) => !state || stateOf(item) === state);
    const most = Math.min(Math.max(limit || shown.usual, 1), shown.most);
    return { items: items.slice(0, most).map(itemOf), total: items.length };
  }

  /** A person's word, acted on at the next tick; the same again is nothing. Throws UNKNOWN_QUARANTINE, QUARANTINE_STATE_UNKNOWN, QUARANTINE_RACED. */
  async resolve(tenant: string, { id, state, note }: ResolveQuarantineRequest, by: string): Promise<QuarantineItem> {
    if (state !== 'released' && state !== 'upheld') throw errors.QUARANTINE_STATE_UNKNOWN({ state });
    const found = await this.documents.items.findOne({ _id: id, tenant }).lean<QuarantineDocument>();
    if (!found) throw errors.UNKNOWN_QUARANTINE({ id });
    if (stateOf(found) === state) return itemOf(found);
    const time = (await this.loop.clock())?.now ?? found.changed;
    const word = { state, note: note.slice(0, longestNote), by, time, said: new Date(this.clock.now()), acted: null };
    const unchanged = { _id: id, [`words.${found.words.length}`]: { $exists: false } };
    const { modifiedCount } = await this.documents.items.updateOne(unchanged, { $push: { words: word } });
    if (!modifiedCount) throw errors.QUARANTINE_RACED({ id });
    return itemOf((await this.documents.items.findById(id).lean<QuarantineDocument>())!);
  }

  /** What is held at a tick, as windows: days that follow each other are one. */
  async windows(series: string, now?: number): Promise<QuarantineWindow[]> {
    const held = (await this.documents.of(series)).filter((item) => stateAt(item, now) !== 'released');
    return held.flatMap(windowsOf).sort((a, b) => +a.start! - +b.start! || (a.source < b.source ? -1 : 1));
  }

  /** Why what is on trial in a cycle should not be: it learned from, or was judged on, days that have been set aside since. */
  async taint(cycle: CycleDocument, now: number): Promise<string | undefined> {
    const items = (await this.documents.of(cycle.series)).filter((item) => stateAt(item, now) !== 'released');
    const known = (cycle.quarantined ?? []).map((window) => QuarantineWindow.fromJSON(window));
    for (const { source, days, changed } of items) {
      const learned = days.filter((day) => day < cycle.cutoff && !known.some((window) => covers(window, day, source)));
      if (learned.length)
        return `it learned from ${inDays(learned)} that ${learned.length > 1 ? 'have' : 'has'} been set aside since`;
      const since = cycle.stageSince ?? cycle.opened;
      const judged = days.filter((day) => day >= cycle.opened && day < since);
      if (cycle.stage === 'canary' && changed > since && judged.length)
        return `its shadow was judged on ${inDays(judged)} that ${judged.length > 1 ? 'have' : 'has'} been set aside since`;
    }
    return undefined;
  }
}

const inDays = (days: readonly number[]): string =>
  days.length === 1
    ? new Date(days[0]).toISOString().slice(0, 10)
    : `${days.length} days from ${new Date(days[0]).toISOString().slice(0, 10)} on`;

const covers = ({ start, end, source }: QuarantineWindow, day: number, of: string): boolean =>
  day >= start!.getTime() && day < end!.getTime() && (source === '' || source === of);

function windowsOf({ days, source }: QuarantineDocument): QuarantineWindow[] {
  const windows: { start: number; end: number }[] = [];
  for (const day of days) {
    const last = windows.at(-1);
    if (last?.end === day) last.end += dayMs;
    else windows.push({ start: day, end: day + dayMs });
  }
  return windows.map(({ start, end }) => ({ start: new Date(start), end: new Date(end), source }));
}

/** The message of a stretch. */
export function itemOf(item: QuarantineDocument): QuarantineItem {
  const { _id: id, model, kind, source, days, rows, reasons, evidence, since } = item;
  const word = item.words.at(-1);
  return QuarantineItem.fromPartial({
    ...{ id, model, holder: 'monitoring', kind, source, rows, reasons, state: stateOf(item) },
    subject: `labels of ${inDays(days)}${source && ` by ${source}`}`,
    evidence: evidence.map((one) => Evidence.fromJSON(one)),
    window: { start: new Date(days[0]), end: new Date(days[days.length - 1] + dayMs), source },
    eventTime: new Date(since),
    note: word ? `${word.by}: ${word.note}` : '',
  });
}
