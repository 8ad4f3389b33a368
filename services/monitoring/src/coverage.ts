/**
 * How much of a closed day has its labels. Those that come first are not like the others (late flights report late), so that
 * a day of few labels is in no verdict and no signal.
 */

import type { DayDocument } from './day-rows.js';
import type { ModelView } from './view.js';

/** Of fewer predictions a share says nothing. */
const fewest = 10;

/** The share of a day's predictions that had no label at its closing; undefined where too few were made. */
export function unlabelledShare({ predictions, unlabelled }: DayDocument): number | undefined {
  return predictions < fewest ? undefined : unlabelled / predictions;
}

/** Whether enough of a day's labels had come by its closing for the day to count. */
export const isToldOf = (view: ModelView, day: DayDocument): boolean =>
  (unlabelledShare(day) ?? 0) <= view.spec.monitoring.unlabelledAbove;
