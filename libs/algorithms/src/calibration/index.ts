/** Calibration: turning log-odds into probabilities that can be taken at their word. A calibrator is plain JSON. */
import { type IsotonicCalibrator, isotonicAt } from './isotonic.js';
import type { PlattCalibrator } from './platt.js';

export { fitIsotonic, type IsotonicCalibrator } from './isotonic.js';
export { fitPlatt, IDENTITY, type PlattCalibrator } from './platt.js';

export type Calibrator = PlattCalibrator | IsotonicCalibrator;

/** Calibrated probabilities in [0, 1], one a score; a score that is NaN stays NaN. The scores are not changed. */
export function calibrate(calibrator: Calibrator, logOdds: Float64Array): Float64Array {
  if (calibrator.kind === 'isotonic') return logOdds.map((s) => isotonicAt(calibrator, s));
  const { a, b } = calibrator;
  return logOdds.map((s) => 1 / (1 + Math.exp(-(a * s + b))));
}
