/** Where two outcomes differ, in the order in which a person would ask: decisions first. */
import type { Outcome } from './outcome.js';

const order = ['ledger', 'cycles', 'versions', 'bytes', 'days', 'counted', 'answers', 'shadows', 'figures'] as const;

/** The first place where an outcome is not the expected one, or undefined where there is none. */
export function differenceOf(expected: Outcome, found: Outcome): string | undefined {
  for (const part of [...order, 'ledgerSha256' as const]) {
    const place = firstDifference(expected[part], found[part], part);
    if (place) return place;
  }
  return undefined;
}

function firstDifference(a: unknown, b: unknown, path: string): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return `${path}: expected ${shown(a)}, found ${shown(b)}`;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys) {
    const [left, right] = [a, b].map((of) => (of as Record<string, unknown>)[key]);
    const place = firstDifference(left, right, `${path}.${key}`);
    if (place) return place;
  }
  return undefined;
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 300);
