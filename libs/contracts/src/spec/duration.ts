/** Durations as people write them in a spec: "60m", "12h", "8d". */
import { z } from 'zod';

export const hourMs = 3_600_000;
/** A day of 24 hours, ms: cohorts and windows are counted in these. */
export const dayMs = 24 * hourMs;

const units = { s: 1_000, m: 60_000, h: hourMs, d: dayMs } as const;
const pattern = /^(\d+(?:\.\d+)?)(s|m|h|d)$/;

/** Milliseconds of a duration such as "90s", "60m", "12h", "8d". Throws RangeError on anything else. */
export function durationMs(text: string): number {
  const match = pattern.exec(text);
  if (!match) throw new RangeError(`"${text}" is not a duration: write a number and s, m, h or d, such as "12h"`);
  return Math.round(Number(match[1]) * units[match[2] as keyof typeof units]);
}

/** A duration in a spec; kept as text, read with `durationMs`. */
export const duration = z
  .string()
  .regex(pattern, 'write a number and s, m, h or d, such as "12h"')
  .describe('A duration: a number and s, m, h or d');
