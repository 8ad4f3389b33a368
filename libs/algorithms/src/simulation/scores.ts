/**
 * What one trained model says to every row asked after its cutoff, and the integer sums that signals and verdicts are computed from.
 *
 * I1  Sums are over the labels known at the day's closing, in whole units a row, as the loop keeps them; each day is summed once.
 */

import { FAST_STOP_BLOCK_MS } from '../comparison/fast-stop.js';
import { logLossNano } from '../comparison/paired-blocks.js';
import { type DaySum } from '../day-sums.js';
import { residualMicro } from '../drift/calibration-gap.js';
import type { Day, History } from './history.js';

export interface ScoredBlock {
  readonly start: number;
  readonly rows: number;
  readonly loss: number;
}

/** Sums of one day: clipped loss in nano-units, y − p in micro-units. */
export interface ScoredDay {
  readonly rows: number;
  readonly loss: number;
  readonly residual: number;
  readonly blocks: readonly ScoredBlock[];
}

export class ModelScores {
  readonly #days = new Map<number, ScoredDay>();

  /**
   * @param cutoff what the model knew, epoch ms
   * @param first the first row that it answers; earlier ones it may have learned from
   * @param probabilities of the rows from `first` on
   */
  constructor(
    readonly history: History,
    readonly cutoff: number,
    readonly first: number,
    readonly probabilities: Float32Array | Float64Array,
  ) {}

  of(row: number): number {
    return this.probabilities[row - this.first];
  }

  day(day: Day): ScoredDay {
    let found = this.#days.get(day.start);
    if (!found) {
      found = this.sum(day, Math.max(day.from, this.first));
      this.#days.set(day.start, found);
    }
    return found;
  }

  /** A day's sums over the questions asked at or after a time. */
  dayFrom(day: Day, time: number): ScoredDay {
    const { questionTimes } = this.history.recorded;
    if (day.from >= this.first && (day.from === day.to || questionTimes[day.from] >= time)) return this.day(day);
    return this.sum(day, Math.max(day.from, this.first, this.history.rowAt(time)));
  }

  private sum(day: Day, from: number): ScoredDay {
    const { labels, knownAt, questionTimes } = this.history.recorded;
    const blocks = new Map<number, { start: number; rows: number; loss: number }>();
    const sum = { rows: 0, loss: 0, residual: 0 };
    for (let row = from; row < day.to; row++) {
      if (knownAt[row] > day.closedAt) continue;
      const y = labels[row] as 0 | 1;
      const loss = logLossNano(this.of(row), y);
      sum.rows++;
      sum.loss += loss;
      sum.residual += residualMicro(this.of(row), y);
      const hours = questionTimes[row] + this.history.times.lead - day.start;
      const start = day.start + Math.floor(hours / FAST_STOP_BLOCK_MS) * FAST_STOP_BLOCK_MS;
      const block = blocks.get(start) ?? { start, rows: 0, loss: 0 };
      blocks.set(start, block);
      block.rows++;
      block.loss += loss;
    }
    return { ...sum, blocks: [...blocks.values()] };
  }
}

/** Day sum of δ = loss(champion) − loss(challenger). */
export function pairedDay(champion: ModelScores, challenger: ModelScores, day: Day): DaySum {
  const [theirs, mine] = [champion.day(day), challenger.day(day)];
  return { day: day.name, rows: mine.rows, sum: theirs.loss - mine.loss };
}

/** The same by blocks. */
export function pairedBlocks(champion: ModelScores, challenger: ModelScores, day: Day) {
  const mine = challenger.day(day).blocks;
  return champion.day(day).blocks.map(({ start, rows, loss }, i) => ({
    block: new Date(start).toISOString(),
    rows,
    sum: loss - mine[i].loss,
  }));
}
