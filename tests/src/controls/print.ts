/** The table of controls, for the terminal. */
import type { ControlResult, Finding } from './control.js';

/** A control a block: what it must show; then each finding with its range, and whether it is in it. */
export function table(results: readonly ControlResult[], head = true): string {
  const width = 46;
  const rows = results.flatMap(({ control, mustShow, findings, holds, seconds }) => [
    '',
    `${mark(holds)} ${control} — must show: ${mustShow}  [${seconds} s]`,
    ...findings.map((f) => `    ${f.what.padEnd(width)} ${f.showed}${rangeOf(f)}`),
  ]);
  return `${[...(head ? ['control, what it must show and what it showed'] : []), ...rows].join('\n')}\n`;
}

const mark = (holds: boolean): string => (holds ? 'ok          ' : 'OUT OF RANGE');

function rangeOf({ atLeast, atMost, holds }: Finding & { holds: boolean }): string {
  if (atLeast === undefined && atMost === undefined) return '';
  const low = atLeast === Number.MIN_VALUE ? 'above 0' : atLeast === undefined ? '' : `at least ${atLeast}`;
  const high = atMost === undefined ? '' : `at most ${atMost}`;
  return `  (${[low, high].filter(Boolean).join(', ')}: ${holds ? 'ok' : 'OUT OF RANGE'})`;
}
