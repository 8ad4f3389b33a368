/** The twin's figures on the embargoed days: what `model.trained` reports. */
import { evaluate } from '@driftloop/algorithms';
import type { Metric } from '@driftloop/contracts';

export interface Figures {
  readonly auc: number;
  readonly logLoss: number;
  readonly brier: number;
  readonly positiveRate: number;
  readonly metrics: Metric[];
}

/** All figures of probabilities against labels (both classes present). */
export function figuresOf(probabilities: Float64Array, labels: Uint8Array): Figures {
  const { rows, positives, logLoss, calibrationError, ...rest } = evaluate(probabilities, labels);
  const named = { log_loss: logLoss, ece: calibrationError, ...rest, rows };
  const metrics = Object.entries(named).map(([name, value]) => ({ name, value }));
  return { auc: rest.auc, logLoss, brier: rest.brier, positiveRate: positives / rows, metrics };
}
