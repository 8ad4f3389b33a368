/**
 * What was due and has not shown up: the entities of a source by their own time, each with the moment that a row of
 * `until` about it first became known. An entity id names one occurrence (a flight on a day).
 */
import type { OverdueGroup } from './plan.js';

export interface Due {
  readonly entityId: string;
  readonly eventTime: number;
  /** When the entity first became known. */
  knownAt: number;
  /** When it first showed up; Infinity until then. */
  goneAt: number;
  /** Its `by` attribute. */
  key: string | undefined;
}

interface Tally {
  due: number;
  overdue: number;
  lateMs: number;
  same: number;
}

export class OverdueIndex {
  private due: Due[] = [];
  private byEntity = new Map<string, Due[]>();
  private readonly tallies: Tally[];
  private readonly widest: number;

  constructor(readonly group: OverdueGroup) {
    this.tallies = group.windowsMs.map(() => ({ due: 0, overdue: 0, lateMs: 0, same: 0 }));
    this.widest = Math.max(...group.windowsMs);
  }

  of(entityId: string): readonly Due[] {
    return this.byEntity.get(entityId) ?? [];
  }

  add(added: Due[]): void {
    if (!added.length) return;
    const first = added.reduce((low, due) => Math.min(low, due.eventTime), Number.POSITIVE_INFINITY);
    const tail = [...this.due.splice(this.countAt(first)), ...added];
    for (const due of tail.sort((a, b) => a.eventTime - b.eventTime)) this.due.push(due);
    for (const due of added) this.byEntity.set(due.entityId, [...this.of(due.entityId), due]);
  }

  /** Writes the group's features as of t; what counts the same attribute is missing without the question's own. */
  answer(t: number, attribute: string | undefined, numbers: Float64Array): void {
    this.count(t, attribute);
    for (const { slot, window, measure } of this.group.outputs) {
      const { due, overdue, lateMs, same } = this.tallies[window];
      if (measure === 'due') numbers[slot] = due;
      else if (measure === 'overdue') numbers[slot] = overdue;
      else if (measure === 'meanMinutes') numbers[slot] = overdue ? lateMs / 60_000 / overdue : Number.NaN;
      else numbers[slot] = attribute === undefined ? Number.NaN : same;
    }
  }

  trim(horizon: number): void {
    let drop = this.countAt(horizon);
    while (drop > 0 && this.due[drop - 1].eventTime === horizon) drop--;
    for (const { entityId } of this.due.slice(0, drop)) {
      const kept = this.of(entityId).filter((due) => due.eventTime >= horizon);
      if (kept.length) this.byEntity.set(entityId, kept);
      else this.byEntity.delete(entityId);
    }
    this.due = this.due.slice(drop);
  }

  private count(t: number, attribute: string | undefined): void {
    for (const tally of this.tallies) tally.due = tally.overdue = tally.lateMs = tally.same = 0;
    for (let i = this.countAt(t) - 1; i >= 0; i--) {
      const due = this.due[i];
      const lateMs = t - due.eventTime;
      if (lateMs >= this.widest) break;
      if (due.knownAt > t) continue;
      const overdue = due.goneAt > t;
      for (let w = 0; w < this.tallies.length; w++) {
        if (lateMs >= this.group.windowsMs[w]) continue;
        const tally = this.tallies[w];
        tally.due++;
        if (!overdue) continue;
        tally.overdue++;
        tally.lateMs += lateMs;
        if (due.key === attribute) tally.same++;
      }
    }
  }

  private countAt(t: number): number {
    let low = 0;
    let high = this.due.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.due[middle].eventTime <= t) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
