/** Durations as people write them in a spec: "60m", "12h", "8d". */
import { z } from 'zod';

export const hourMs = 3_600_000;
/** A day of 24 hours, ms: cohorts and windows are counted in these. */
export const dayMs = 24 * hourMs;

/** The longest duration that a spec may name, ms: ten years. Beyond it times are no times any more. */
export const longestDurationMs = 3660 * dayMs;

const units = { s: 1_000, m: 60_000, h: hourMs, d: dayMs } as const;
const pattern = /^(\d{1,9}(?:\.\d{1,9})?)(s|m|h|d)$/;
const written = 'write a number and s, m, h or d, such as "12h"';

/** Milliseconds of a duration such as "90s", "60m", "12h", "8d". Throws RangeError on anything else, and above ten years. */
export function durationMs(text: string): number {
  const ms = msOf(text);
  if (ms === undefined) throw new RangeError(`"${text.slice(0, 40)}" is not a duration: ${written}`);
  if (ms > longestDurationMs) throw new RangeError(`"${text}" is longer than ten years (3660d)`);
  return ms;
}

function msOf(text: string): number | undefined {
  const match = pattern.exec(text);
  return match ? Math.round(Number(match[1]) * units[match[2] as keyof typeof units]) : undefined;
}

/** A duration in a spec; kept as text, read with `durationMs`. */
export const duration = z
  .string()
  .regex(pattern, `${written} (at most nine digits)`)
  .refine((text) => (msOf(text) ?? 0) <= longestDurationMs, 'is longer than ten years; write at most 3660d')
  .describe('A duration: a number and s, m, h or d');
