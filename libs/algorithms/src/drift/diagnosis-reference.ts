/**
 * What is kept beside a model's histograms so that a movement can be told from chance, slice by slice, and weighed by what it cost. Plain JSON, made where
 * the model is trained and read where it is watched.
 */
import type { DaySpread } from './day-blocks.js';
import type { BinLosses } from './loss-share.js';

export interface DiagnosisReference {
  /** How the days behind each feature's histogram differ; of "prediction" too. */
  readonly spreads: Readonly<Record<string, DaySpread>>;
  /** The same rows by slice ("carrier=AA"), then by feature, in the layout of the feature's histogram. */
  readonly slices: Readonly<Record<string, Readonly<Record<string, SliceReference>>>>;
  /** Clipped log loss by bin of each feature, in thousandths, on the days that the reference of the loss is from. */
  readonly losses: Readonly<Record<string, BinLosses>>;
}

export interface SliceReference {
  readonly counts: readonly number[];
  readonly spread: DaySpread;
}

/** A row's log loss in whole thousandths: what bins are summed in. */
export const lossMilli = (lossNano: number): number => Math.round(lossNano / 1e6);
