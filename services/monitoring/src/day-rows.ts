/** The rows of closed cohorts, as documents hold them: sums that every later decision is computed from. */

export type Role = 'champion' | 'challenger' | 'frozen' | 'returned';

/** Sums of one version in one role over a day's labelled rows. */
export interface VersionSums {
  /** Empty for "returned": whichever version answered. */
  version: string;
  role: Role;
  rows: number;
  /** Log loss, p clipped to [1e-6, 1 − 1e-6]. */
  lossNano: number;
  /** Log loss, p clipped to [.01, .99], as the gate and the judge count it. */
  clippedLossNano: number;
  residualMicro: number;
  brierNano: number;
  /** p ≥ ½ where the label is 1, p < ½ where it is 0. */
  correct: number;
}

/** Rows and Σδ = Σ loss(champion) − loss(challenger), nano units, of an hour of entity time. */
export interface BlockSums {
  start: number;
  rows: number;
  sum: number;
}

/** Champion and challenger on the same rows of a day. */
export interface PairSums {
  champion: string;
  challenger: string;
  rows: number;
  sum: number;
  /** Rows that the champion answered and that have a label, whether or not the challenger answered too. */
  answerable: number;
  blocks: BlockSums[];
}

/** Counts of the feature bins of a champion's reference, and of its predictions. */
export interface DayCounts {
  version: string;
  rows: number;
  /** JSON: bin counts by feature. Text: read whole or not at all. */
  bins: string;
  /** JSON: the same by slice, then feature. Kept beside the day (DayDetails), and there only where it was asked for. */
  slices?: string;
  /** JSON: by feature and bin, rows with a label and what the champion lost on them, in thousandths. As `slices`. */
  losses?: string;
}

/** What diagnosis alone reads of a day: large, so apart from what every check walks over. `_id` is the day's. */
export interface DayDetails {
  _id: string;
  series: string;
  day: number;
  slices: string;
  losses: string;
}

/** One source's share of a closed day. */
export interface DayPart {
  source: string;
  labelled: number;
  /** Empty where there is one source only: the day's own sums are its. */
  versions: VersionSums[];
  pairs: PairSums[];
  /** JSON: WitnessSums of each version that was champion at a question. Text: read whole or not at all. */
  witness: string;
}

/** How many labels of a source became known in each hour: [end of the hour, count]. */
export interface KnownOf {
  source: string;
  known: [number, number][];
}

/** That a day is set aside, by which item; `until`: the tick at which a person let it in, null while it is held. */
export interface HeldMark {
  item: string;
  /** Empty: every source. */
  source: string;
  until: number | null;
}

/** One closed cohort. Times are epoch ms. */
export interface DayDocument {
  /** tenant/model/ISO day */
  _id: string;
  series: string;
  /** The cohort's first instant. */
  day: number;
  closedAt: number;
  predictions: number;
  labelled: number;
  unlabelled: number;
  /** Labels of the cohort, with a prediction or not. */
  labels: number;
  /** How many of them became known in each hour: [end of the hour, count]. */
  known: [number, number][];
  lastKnown: number;
  /** The same by source of the labels. Absent in documents of old, as are `parts` and `held`. */
  knownOf?: KnownOf[];
  /** Entities (`entityKey`) of the predictions that had no label at closing; [] once the cohort is censored. */
  awaited: string[];
  /** Predictions that never got a label; null until the cohort is censored. */
  censored: number | null;
  /** Predictions that came after the closing: in no figure. Absent in documents of old. */
  late?: number;
  /** Whether the cohort's rows may still have to be deleted. */
  rowsLeft: boolean;
  /** The tick whose late labels have been added. */
  absorbedAt: number | null;
  versions: VersionSums[];
  pairs: PairSums[];
  counts: DayCounts | null;
  /** The day by the source of its labels. */
  parts?: DayPart[];
  /** That it is, or was, set aside (quarantine.ts). */
  held?: HeldMark[];
}
