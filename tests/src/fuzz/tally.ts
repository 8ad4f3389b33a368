/** What was sent, by method and field, and how it was answered. */
import type { Answer, Input } from './input.js';

export interface Counted {
  /** By method, field: how many. */
  readonly fields: Record<string, Record<string, number>>;
  /** By method, status: how many. */
  readonly statuses: Record<string, Record<string, number>>;
  /** By method: ms until answers, all together. */
  readonly waits: Record<string, number>;
}

export class Tally {
  inputs = 0;
  private readonly fields = new Map<string, Map<string, number>>();
  private readonly waits = new Map<string, number>();
  private readonly statuses = new Map<string, Map<string, number>>();

  count({ method, field }: Input, { status }: Answer, ms: number): void {
    this.waits.set(method, (this.waits.get(method) ?? 0) + ms);
    this.inputs++;
    add(this.fields, method, field || '(whole)');
    add(this.statuses, method, status);
  }

  get counted(): Counted {
    return { fields: plain(this.fields), statuses: plain(this.statuses), waits: Object.fromEntries(this.waits) };
  }
}

function add(counts: Map<string, Map<string, number>>, method: string, what: string): void {
  const of = counts.get(method) ?? new Map<string, number>();
  counts.set(method, of.set(what, (of.get(what) ?? 0) + 1));
}

const plain = (counts: ReadonlyMap<string, ReadonlyMap<string, number>>): Record<string, Record<string, number>> =>
  Object.fromEntries(
    [...counts].sort().map(([method, of]) => [method, Object.fromEntries([...of].sort((a, b) => b[1] - a[1]))]),
  );
