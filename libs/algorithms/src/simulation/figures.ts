/** What the callers were given in a simulated run, and how good it was. */
import { auc } from '../metrics/auc.js';
import type { History } from './history.js';
import type { SimulatedRun } from './loop.js';

export interface RunFigures {
  readonly rows: number;
  readonly logLoss: number;
  readonly auc: number;
  readonly brier: number;
}

/** Log loss is clipped where the logarithm ends. */
const EDGE = 1e-6;

/** Probabilities returned from the first answer of the run on, with the row of the first. */
export function returned(
  history: History,
  { served }: SimulatedRun,
  canaryPercent: number,
): { first: number; probabilities: Float64Array } {
  const { questionTimes } = history.recorded;
  const first = history.rowAt(served[0].since);
  const probabilities = new Float64Array(history.rows - first);
  let s = 0;
  for (let row = first; row < history.rows; row++) {
    const time = questionTimes[row];
    while (s + 1 < served.length && served[s + 1].since <= time) s++;
    const { scores, canary } = served[s];
    const tried = canary && time >= canary.from && time < canary.to && share(row) < canaryPercent / 100;
    probabilities[row - first] = (tried ? canary.scores : scores).of(row);
  }
  return { first, probabilities };
}

/** Figures over every labelled row since the first answer. */
export function figuresOf(history: History, run: SimulatedRun, canaryPercent: number): RunFigures {
  const { first, probabilities } = returned(history, run, canaryPercent);
  const labels = history.recorded.labels.subarray(first);
  let loss = 0;
  let squares = 0;
  for (let i = 0; i < labels.length; i++) {
    const p = Math.min(1 - EDGE, Math.max(EDGE, probabilities[i]));
    loss -= Math.log(labels[i] ? p : 1 - p);
    squares += (probabilities[i] - labels[i]) ** 2;
  }
  const rows = labels.length;
  return { rows, logLoss: loss / rows, auc: auc(probabilities, labels), brier: squares / rows };
}

/** Whether a row's question goes to the canary: a fixed number in [0, 1) for each row. */
function share(row: number): number {
  let z = Math.imul(row + 1, 0x9e3779b1) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b) >>> 0;
  return ((z ^ (z >>> 13)) >>> 0) / 4294967296;
}
