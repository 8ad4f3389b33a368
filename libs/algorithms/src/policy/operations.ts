/**
 * The canary's operational check: does the challenger answer as well as the champion, labels aside? From integer counts of both arms: errors, answers that
 * are not numbers, latency and the shape of the scores. Rates are compared by the exact conditional test (given the total of errors in both arms, the canary's
 * share is binomial: Przyborowski & Wilenski, Biometrika 1940), so that one error in a small arm is not an alarm; latency by how many canary answers are slower
 * than a multiple of the champion's 95th percentile; scores by PSI beyond sampling noise.
 *
 * @example
 * operationalCheck({ champion, canary }).health; // 'healthy' | 'unhealthy' | 'not enough'
 */
import { demand } from '../bad-input.js';
import { binomialTail } from '../comparison/incomplete-beta.js';
import { populationStability, stabilityNoise } from '../drift/psi.js';
import { type Evidence, finite } from '../evidence.js';

/** Latency buckets grow by 2^¼ from 0.1 ms: bucket i holds latencies up to 0.1·2^(i/4) ms, and the last is open (about 100 s). */
export const LATENCY_BUCKETS = 81;
/** Score buckets of equal width on [0, 1]. */
export const SCORE_BUCKETS = 20;

/** The bucket of a latency in milliseconds. */
export function latencyBucket(ms: number): number {
  if (!(ms > 0.1)) return 0;
  return Math.min(LATENCY_BUCKETS - 1, Math.ceil(4 * Math.log2(ms / 0.1) - 1e-9));
}

/** Upper edge of a latency bucket in milliseconds. */
export const latencyEdge = (bucket: number): number => 0.1 * 2 ** (bucket / 4);

/** The bucket of a score in [0, 1]; count answers that are not numbers in `notFinite` instead. */
export function scoreBucket(p: number): number {
  return Math.max(0, Math.min(SCORE_BUCKETS - 1, Math.floor(p * SCORE_BUCKETS)));
}

/** Integer counts of one arm over one window; plain JSON, merged by addition. */
export interface ArmCounts {
  readonly requests: number;
  readonly errors: number;
  readonly notFinite: number;
  /** LATENCY_BUCKETS counts. */
  readonly latency: readonly number[];
  /** SCORE_BUCKETS counts. */
  readonly scores: readonly number[];
}

export const emptyArm = (): ArmCounts => ({
  requests: 0,
  errors: 0,
  notFinite: 0,
  latency: new Array(LATENCY_BUCKETS).fill(0),
  scores: new Array(SCORE_BUCKETS).fill(0),
});

/** Adds the counts of one arm's windows. */
export function mergeArms(...arms: readonly ArmCounts[]): ArmCounts {
  const add = (a: readonly number[], b: readonly number[]): number[] => a.map((n, i) => n + (b[i] ?? 0));
  return arms.reduce(
    (sum, arm) => ({
      requests: sum.requests + arm.requests,
      errors: sum.errors + arm.errors,
      notFinite: sum.notFinite + arm.notFinite,
      latency: add(sum.latency, arm.latency),
      scores: add(sum.scores, arm.scores),
    }),
    emptyArm(),
  );
}

export interface OperationsOptions {
  /** Canary requests below which health is not judged, unless it is already unhealthy. Default 200. */
  readonly minRequests?: number;
  /** One-sided level of each rate's test. Default .001. */
  readonly level?: number;
  /** Rates closer than this are alike, whatever the test says. Default .005. */
  readonly rateMargin?: number;
  /** Unhealthy when the canary's 95th percentile is beyond this multiple of the champion's. Default 2. */
  readonly latencyRatio?: number;
  /** Latencies up to this many milliseconds are never slow. Default 5. */
  readonly latencyFloorMs?: number;
  /**
   * Unhealthy at a PSI of the scores above this plus twice the sampling noise. Default 1: a renewed model is meant to answer otherwise than the
   * stale one, and its quality was judged in shadow; here only a gross fault is looked for.
   */
  readonly scoreShift?: number;
  /** Scores that each arm needs before their shapes are compared: PSI of a few dozen scores is noise. Default 200. */
  readonly shiftMinScores?: number;
}

export interface OperationsVerdict {
  readonly health: 'healthy' | 'unhealthy' | 'not enough';
  /** What is wrong, or what is lacking; empty when healthy. */
  readonly reasons: readonly string[];
  readonly evidence: readonly Evidence[];
}

/** Compares a canary with the champion on the same window. Claims hold when something is wrong. @throws BadInput for counts that contradict each other. */
export function operationalCheck(
  arms: { champion: ArmCounts; canary: ArmCounts },
  options: OperationsOptions = {},
): OperationsVerdict {
  const given = Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as OperationsOptions;
  const defaults = {
    minRequests: 200,
    level: 0.001,
    rateMargin: 0.005,
    latencyRatio: 2,
    latencyFloorMs: 5,
    scoreShift: 1,
    shiftMinScores: 200,
  };
  const o: Required<OperationsOptions> = { ...defaults, ...given };
  checkArm('champion', arms.champion);
  checkArm('canary', arms.canary);
  const evidence = [
    rate('error rate', 'errors', arms, o),
    rate('not-a-number rate', 'notFinite', arms, o),
    slowness(arms, o),
    shift(arms, o),
  ];
  const wrong = evidence.filter((e) => e.holds).map((e) => `${e.test}: ${e.note}`);
  if (wrong.length > 0) return { health: 'unhealthy', reasons: wrong, evidence };
  const seen = arms.canary.requests;
  if (seen < o.minRequests)
    return { health: 'not enough', reasons: [`${seen} canary requests, fewer than ${o.minRequests}`], evidence };
  return { health: 'healthy', reasons: [], evidence };
}

type Arms = { champion: ArmCounts; canary: ArmCounts };

const total = (counts: readonly number[]): number => counts.reduce((s, n) => s + n, 0);
const percent = (x: number): string => `${Number((100 * x).toPrecision(3))}%`;

function checkArm(name: string, arm: ArmCounts): void {
  const counts = [arm.requests, arm.errors, arm.notFinite, ...arm.latency, ...arm.scores];
  const whole = counts.every((n) => Number.isSafeInteger(n) && n >= 0);
  const shaped = arm.latency.length === LATENCY_BUCKETS && arm.scores.length === SCORE_BUCKETS;
  const fits = arm.errors <= arm.requests && arm.notFinite <= arm.requests;
  demand(
    whole && shaped && fits,
    `operationalCheck.${name}`,
    () => 'counts that do not fit together',
    'pass whole counts made by emptyArm and mergeArms',
  );
}

function rate(
  test: string,
  field: 'errors' | 'notFinite',
  { champion, canary }: Arms,
  o: Required<OperationsOptions>,
): Evidence {
  const k = canary[field] + champion[field];
  const n = canary.requests + champion.requests;
  const p = canary.requests === 0 ? 1 : binomialTail(canary[field], k, canary.requests / n);
  const mine = canary[field] / Math.max(1, canary.requests);
  const theirs = champion[field] / Math.max(1, champion.requests);
  const holds = p < o.level && mine - theirs > o.rateMargin;
  const note = `${percent(mine)} of ${canary.requests} against ${percent(theirs)} of ${champion.requests}`;
  return {
    test,
    subject: 'canary p-value',
    statistic: finite(p),
    threshold: o.level,
    holds,
    rows: canary.requests,
    days: 0,
    note,
  };
}

/** First bucket that holds the quantile. */
function quantileBucket(counts: readonly number[], q: number): number {
  const wanted = q * total(counts);
  let seen = 0;
  for (let i = 0; i < counts.length; i++) {
    seen += counts[i];
    if (seen >= wanted && seen > 0) return i;
  }
  return 0;
}

/**
 * If the canary's 95th percentile were within the limit, at most 5% of its answers would be slower: the binomial tail tests that. Where an arm has no
 * latencies (a replay counts none: they are wall time) nothing is compared: the statistic is 0, and the note says so.
 */
function slowness({ champion, canary }: Arms, o: Required<OperationsOptions>): Evidence {
  const theirs = latencyEdge(quantileBucket(champion.latency, 0.95));
  const mine = latencyEdge(quantileBucket(canary.latency, 0.95));
  const limit = latencyBucket(Math.max(o.latencyFloorMs, o.latencyRatio * theirs));
  const answered = total(canary.latency);
  const slow = total(canary.latency.slice(limit + 1));
  const known = answered > 0 && total(champion.latency) > 0;
  const holds = known && binomialTail(slow, answered, 0.05) < o.level;
  const compared = `95th percentile ${mine.toPrecision(3)} ms against ${theirs.toPrecision(3)} ms, ${slow} of ${answered} slower than ${latencyEdge(limit).toPrecision(3)} ms`;
  const note = known ? compared : `not compared: no latency of ${unmeasured(champion, canary)} was counted`;
  const statistic = known ? finite(mine / theirs) : 0;
  return {
    test: 'latency',
    subject: 'canary / champion',
    statistic,
    threshold: o.latencyRatio,
    holds,
    rows: answered,
    days: 0,
    note,
  };
}

const unmeasured = (champion: ArmCounts, canary: ArmCounts): string => {
  if (total(champion.latency) > 0) return 'the canary';
  return total(canary.latency) > 0 ? 'the champion' : 'either arm';
};

function shift({ champion, canary }: Arms, o: Required<OperationsOptions>): Evidence {
  const reference = { counts: champion.scores };
  const now = { counts: canary.scores };
  const psi = populationStability(reference, now);
  const threshold = o.scoreShift + 2 * stabilityNoise(reference, now);
  const note = `PSI ${psi.toPrecision(3)} between the arms' scores`;
  const enough = Math.min(total(canary.scores), total(champion.scores)) >= o.shiftMinScores;
  const holds = enough && psi > threshold;
  return {
    test: 'score shift',
    subject: 'canary against champion',
    statistic: finite(psi),
    threshold: finite(threshold),
    holds,
    rows: total(canary.scores),
    days: 0,
    note,
  };
}
