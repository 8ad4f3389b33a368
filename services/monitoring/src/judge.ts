/**
 * The judge of a rollout in shadow: champion and challenger on the same rows of whole closed days.
 *
 * I1  The tests are folded anew from the day documents since the rollout began: no state that could be applied twice.
 * I2  Only days count whose every question was asked after the rollout took effect, and labels as their closing knew them.
 *     A day of which too few labels came is a day without rows: those that come first are not like the others. What is
 *     held in quarantine has no rows either.
 * I3  The yardstick (typical rows a day) is that of the days closed when the rollout began, however long it lasts.
 */
import {
  type DaySum,
  type FastStopState,
  type Evidence as Finding,
  fastStopEvidence,
  type JudgeState,
  judgeEvidence,
  startFastStop,
  startJudge,
  typicalRows,
  updateFastStop,
  updateJudge,
} from '@driftloop/algorithms';
import { cohortStart, dayMs, Evidence, Verdict } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { isToldOf } from './coverage.js';
import type { DayDocument, PairSums } from './day-rows.js';
import { Days } from './days.documents.js';
import type { Judgement, Standing } from './judgement.js';
import type { CycleDocument } from './loop-rows.js';
import { unheld } from './quarantine-parts.js';
import type { ModelView } from './view.js';

/** A challenger that answers fewer of the champion's rows is not fit to serve, however good its answers are. */
const leastCoverage = 0.9;
/** Tests that stop a trial. */
const harms = ['harm', 'gross harm'];

@Injectable()
export class Judge {
  constructor(private readonly days: Days) {}

  /** How the shadow of a cycle stands after the newest closed day; undefined before there is a whole one. */
  async shadow(view: ModelView, cycle: CycleDocument): Promise<Standing | undefined> {
    const first = firstWholeDay(view, cycle.stageSince!);
    const days = await this.days.from(view.series, first);
    if (!days.length) return undefined;
    const trial = run(view, cycle, days, await this.yardstick(view, cycle, days));
    const evidence = evidenceOf(cycle, trial.findings, first, days[days.length - 1].day);
    const { verdict, rows } = trial;
    const lacks = verdict ? [] : [`undecided after ${days.length} closed days with ${rows} rows of both`];
    return { evidence, lacks, ...(verdict && { judgement: { ...verdict, evidence } }) };
  }

  /**
   * Whether the days that closed after an instant (epoch ms) say harm of a trial that has its word and waits. The tests begin
   * anew there, and after each word that they come to: what was right then says nothing of later days.
   */
  async harmAfter(view: ModelView, cycle: CycleDocument, after: number): Promise<Judgement | undefined> {
    const shadowed = await this.days.from(view.series, firstWholeDay(view, cycle.stageSince!));
    let days = shadowed.filter(({ day }) => day + view.timing.closing > after);
    const typical = await this.yardstick(view, cycle, days);
    while (days.length) {
      const { findings, verdict, seen } = run(view, cycle, days, typical);
      if (!verdict) return undefined;
      if (findings.some(({ test, holds }) => holds && harms.includes(test)))
        return { ...verdict, evidence: evidenceOf(cycle, findings, days[0].day, days[seen - 1].day) };
      days = days.slice(seen);
    }
    return undefined;
  }

  /** I3 */
  private async yardstick(view: ModelView, cycle: CycleDocument, days: readonly DayDocument[]): Promise<number> {
    const before = await this.days.lastClosedBy(view.series, cycle.stageSince!, 14, view.timing.closing);
    return typicalOf(before.length ? before : days.slice(0, 1));
  }
}

/** The tests as they stand, over the days from one to another. */
const evidenceOf = ({ version }: CycleDocument, findings: readonly Finding[], from: number, to: number): Evidence[] => {
  const window = { windowStart: new Date(from), windowEnd: new Date(to + dayMs) };
  return findings.map((finding) => Evidence.fromPartial({ ...finding, subject: version, ...window }));
};

/** I2: the first cohort whose first question comes at or after the rollout's beginning. */
export function firstWholeDay(view: ModelView, since: number): number {
  const earliest = since + view.timing.lead;
  const day = cohortStart(view.whole, earliest);
  return day < earliest ? day + dayMs : day;
}

const typicalOf = (days: readonly DayDocument[]): number =>
  typicalRows(
    days.map(({ day, labelled, labels }) => ({ day: new Date(day).toISOString(), rows: labelled || labels })),
  );

interface Trial {
  rows: number;
  /** Days until it had its word, or all. */
  seen: number;
  findings: readonly Finding[];
  verdict?: Omit<Judgement, 'evidence'>;
}

function run(view: ModelView, cycle: CycleDocument, days: readonly DayDocument[], typical: number): Trial {
  const { margin, clip, promoteAt, harmAt, maxDays: limitDays } = view.spec.rollout.shadow;
  let slow = startJudge({ typicalRows: typical, margin, clip, promoteAt, harmAt, limitDays });
  let fast = startFastStop({ stopAt: harmAt });
  let answered = 0;
  let answerable = 0;
  let seen = 0;
  for (const day of days) {
    seen++;
    const pair = isToldOf(view, day) ? pairOf(unheld(day), cycle) : emptyPair;
    answered += pair.rows;
    answerable += pair.answerable;
    for (const { start, rows, sum } of pair.blocks)
      fast = updateFastStop(fast, { block: new Date(start).toISOString(), rows, sum }).state;
    const sum: DaySum = { day: new Date(day.day).toISOString(), rows: pair.rows, sum: pair.sum };
    slow = updateJudge(slow, sum).state;
    if (fast.decision === 'harm' || slow.decision !== 'continue') break;
  }
  const coverage = answerable ? answered / answerable : 1;
  const verdict = verdictOf(slow, fast, coverage);
  return {
    rows: slow.rows,
    seen,
    findings: [...judgeEvidence(slow), fastStopEvidence(fast)],
    ...(verdict && { verdict }),
  };
}

const emptyPair: PairSums = { champion: '', challenger: '', rows: 0, sum: 0, answerable: 0, blocks: [] };

const pairOf = (day: DayDocument, { champion, version }: CycleDocument): PairSums =>
  day.pairs.find((pair) => pair.champion === champion && pair.challenger === version) ?? emptyPair;

function verdictOf(slow: JudgeState, fast: FastStopState, coverage: number): Trial['verdict'] {
  const back = (reason: string) => ({ verdict: Verdict.ROLL_BACK, reasons: [reason] });
  const on = (reason: string) => ({ verdict: Verdict.ADVANCE, reasons: [reason] });
  const percent = `${(100 * coverage).toFixed(1)}%`;
  if (fast.decision === 'harm') return back('gross harm in hourly blocks');
  if (slow.decision === 'harm') return back(`worse than the champion over ${slow.days} days`);
  if (slow.decision === 'continue') return undefined;
  if (coverage < leastCoverage) return back(`answered only ${percent} of the rows that the champion answered`);
  if (slow.decision === 'promote') return on(`not worse by the margin over ${slow.days} days`);
  if (slow.decision === 'undecided-promote') return on(`undecided by the test in ${slow.days} days, and good enough`);
  return back(`undecided by the test in ${slow.days} days, and not good enough`);
}
