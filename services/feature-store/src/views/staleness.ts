/**
 * How far the sources of a plan's features are behind a question's time, and which features lean on one that is too far
 * behind: what is answered without waiting says so.
 */
import type { ViewPlan } from './plan.js';

export interface Staleness {
  /** Of the slowest source that has ever spoken; 0 where none is behind. */
  readonly behindMs: number;
  /** Names of features, in the order of the plan's numbers. */
  readonly stale: string[];
}

/** A source that features lean on, and their places among the plan's numbers. */
interface Leaning {
  readonly source: string;
  readonly slots: readonly number[];
}

const known = new WeakMap<ViewPlan, readonly Leaning[]>();

/** The sources of a plan's features; those of an entity itself are known or not, and never behind. */
function leaningsOf(plan: ViewPlan): readonly Leaning[] {
  const leanings = known.get(plan) ?? leaningsIn(plan);
  known.set(plan, leanings);
  return leanings;
}

function leaningsIn({ windows, latest, overdue }: ViewPlan): Leaning[] {
  const slots = new Map<string, number[]>();
  const lean = (source: string, outputs: readonly { slot: number }[]) =>
    slots.set(source, [...(slots.get(source) ?? []), ...outputs.map(({ slot }) => slot)]);
  for (const { source, outputs } of [...windows, ...latest, ...overdue]) lean(source, outputs);
  for (const { until, outputs } of overdue) lean(until, outputs);
  return [...slots].map(([source, places]) => ({ source, slots: places }));
}

/** `reachedBy` says how far a source has come, undefined where it has never spoken. */
export function stalenessOf(
  plan: ViewPlan,
  time: number,
  reachedBy: (source: string) => number | undefined,
  silenceMs: number,
): Staleness {
  let behindMs = 0;
  const stale = new Set<number>();
  for (const { source, slots } of leaningsOf(plan)) {
    const reached = reachedBy(source);
    if (reached !== undefined) behindMs = Math.max(behindMs, time - reached);
    if (reached === undefined || time - reached > silenceMs) for (const slot of slots) stale.add(slot);
  }
  return { behindMs, stale: [...stale].sort((a, b) => a - b).map((slot) => plan.numbers[slot]) };
}
