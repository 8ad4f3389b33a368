/**
 * The course of one cycle, from its opening to its end, as the loop would take it: training, gate on an embargoed twin, paired shadow, canary.
 *
 * I1  Every step takes its event time: the declared training, a day's closing, a tick a hop (what is said at a tick is acted on at the next).
 * I2  The verdicts are the loop's own functions on the same sums.
 *
 * Left out: what history does not hold (errors and latencies of a canary, its scores' shape, single features that leak, a person's hand).
 */
import { startFastStop, updateFastStop } from '../comparison/fast-stop.js';
import { gate } from '../comparison/gate.js';
import { startJudge, typicalRows, updateJudge } from '../comparison/judge.js';
import { pairedLoss } from '../comparison/paired-blocks.js';
import type { SliceDays } from '../comparison/slices.js';
import type { DaySum } from '../day-sums.js';
import type { Day, History } from './history.js';
import { type EmbargoedDays, type LoopRules, tickAt } from './rules.js';
import { type ModelScores, pairedBlocks, pairedDay } from './scores.js';

export type CycleOutcome = 'promoted' | 'refused' | 'rolled_back' | 'failed' | 'expired' | 'open';

/** When a cycle's steps take effect, epoch ms; those that it never reached are absent. */
export interface CycleCourse {
  readonly outcome: CycleOutcome;
  readonly reason: string;
  readonly shadowAt?: number;
  readonly canaryAt?: number;
  readonly promotedAt?: number;
  /** The tick from which on the policy may open another; Infinity where history ends first. */
  readonly closedAt: number;
  /** Closed days that the judge saw. */
  readonly judgedDays: number;
}

/** Champion, the candidate as released, and its twin. */
export interface Contenders {
  readonly champion: ModelScores;
  readonly released: ModelScores;
  readonly twin: ModelScores;
  readonly embargo: EmbargoedDays;
}

/** The course of a cycle opened at `opened` (a tick). */
export function courseOf(history: History, rules: LoopRules, opened: number, contenders: Contenders): CycleCourse {
  const gatedAt = tickAt(rules, opened + rules.training) + rules.tick;
  const refusal = refusalOf(history, rules, opened, contenders);
  if (refusal) return { outcome: 'refused', reason: refusal, closedAt: gatedAt + rules.tick, judgedDays: 0 };
  const trial = shadow(history, rules, gatedAt, contenders);
  const common = { shadowAt: gatedAt, judgedDays: trial.days, reason: trial.reason };
  if (trial.decision === 'open') return { ...common, outcome: 'open', closedAt: Number.POSITIVE_INFINITY };
  if (trial.decision === 'expired') return { ...common, outcome: 'expired', closedAt: trial.at };
  const actedAt = trial.at + rules.tick;
  if (trial.decision === 'back') return { ...common, outcome: 'rolled_back', closedAt: actedAt + rules.tick };
  return { ...common, ...canary(history, rules, actedAt) };
}

/** The course of a training that ended without a candidate. */
export function failedCourse(rules: LoopRules, opened: number, reason: string): CycleCourse {
  const closedAt = tickAt(rules, opened + rules.training) + rules.tick;
  return { outcome: 'failed', reason, closedAt, judgedDays: 0 };
}

function refusalOf(history: History, rules: LoopRules, opened: number, contenders: Contenders): string {
  if (!rules.gate.enabled) return '';
  const { confidence, minDays, minRows, sliceMinRows } = rules.gate;
  const days = contenders.embargo.days.map(
    (start) => history.days[Math.round((start - history.days[0].start) / 86_400_000)],
  );
  const all = gateSums(history, contenders, days, opened);
  const slices = (history.recorded.slices ?? []).flatMap((slice) =>
    slice.values.map((value, code): SliceDays => {
      const held = gateSums(history, contenders, days, opened, (row) => slice.codes[row] === code);
      return { slice: `${slice.name}=${value}`, days: held };
    }),
  );
  const verdict = gate({ days: all, slices }, { level: 1 - confidence, minDays, minRows, sliceMinRows });
  return verdict.approved ? '' : verdict.reasons.join('; ');
}

/** Day sums of δ on embargoed rows whose label the training knew. */
function gateSums(
  history: History,
  { champion, twin }: Contenders,
  days: readonly Day[],
  cutoff: number,
  holds: (row: number) => boolean = () => true,
): DaySum[] {
  const { knownAt, labels } = history.recorded;
  return days.map(({ name: day, from, to }) => {
    let [rows, sum] = [0, 0];
    for (let row = from; row < to; row++) {
      if (knownAt[row] > cutoff || !holds(row)) continue;
      rows++;
      sum += pairedLoss(champion.of(row), twin.of(row), labels[row] as 0 | 1);
    }
    return { day, rows, sum };
  });
}

interface Trial {
  readonly decision: 'on' | 'back' | 'expired' | 'open';
  readonly reason: string;
  /** The tick of the decision. */
  readonly at: number;
  readonly days: number;
}

function shadow(history: History, rules: LoopRules, since: number, { champion, released }: Contenders): Trial {
  const { margin, clip, promoteAt, harmAt, limitDays } = rules.shadow;
  const whole = history.days.filter((day) => day.start >= since + history.times.lead);
  const before = history.closedBy(since, 14);
  const typical = typicalRows(
    (before.length ? before : whole.slice(0, 1)).map((day) => ({
      day: day.name,
      rows: champion.day(day).rows || day.to - day.from,
    })),
  );
  let slow = startJudge({ typicalRows: typical, margin, clip, promoteAt, harmAt, limitDays });
  let fast = startFastStop({ stopAt: harmAt });
  for (const day of whole) {
    // The rollout is known a tick after it began.
    const at = Math.max(tickAt(rules, day.closedAt), since + rules.tick);
    if (at >= since + rules.deadlines.shadow)
      return { decision: 'expired', reason: 'shadow was not over in time', at, days: slow.days };
    for (const block of pairedBlocks(champion, released, day)) fast = updateFastStop(fast, block).state;
    slow = updateJudge(slow, pairedDay(champion, released, day)).state;
    const found = { at, days: slow.days };
    if (fast.decision === 'harm') return { ...found, decision: 'back', reason: 'gross harm' };
    if (slow.decision === 'harm' || slow.decision === 'undecided-stop')
      return { ...found, decision: 'back', reason: slow.decision };
    if (slow.decision !== 'continue') return { ...found, decision: 'on', reason: slow.decision };
  }
  return { decision: 'open', reason: 'history ends', at: Number.POSITIVE_INFINITY, days: slow.days };
}

type CanaryCourse = Pick<CycleCourse, 'outcome' | 'canaryAt' | 'promotedAt' | 'closedAt'>;

/** A canary waits for its time and for enough questions; its health is taken for granted. */
function canary(history: History, rules: LoopRules, since: number): CanaryCourse {
  const { percent, duration, minPredictions } = rules.canary;
  const { questionTimes } = history.recorded;
  const wanted = percent > 0 ? Math.ceil((100 * minPredictions) / percent) : 0;
  const last = history.rowAt(since) + wanted - 1;
  const asked = wanted === 0 ? since : last < history.rows ? questionTimes[last] : Number.POSITIVE_INFINITY;
  const judgedAt = Math.max(
    tickAt(rules, since + duration),
    asked === Number.POSITIVE_INFINITY ? asked : tickAt(rules, asked),
  );
  if (judgedAt >= since + rules.deadlines.canary && asked !== Number.POSITIVE_INFINITY)
    return { outcome: 'expired', canaryAt: since, closedAt: tickAt(rules, since + rules.deadlines.canary) };
  if (judgedAt > questionTimes[history.rows - 1])
    return { outcome: 'open', canaryAt: since, closedAt: Number.POSITIVE_INFINITY };
  const promotedAt = judgedAt + rules.tick;
  return { outcome: 'promoted', canaryAt: since, promotedAt, closedAt: promotedAt + rules.tick };
}
