/**
 * The false-discovery rate of tests that come one after another without end: LORD++. Each test is given a level out of a budget that every discovery
 * refills, so that at any time the expected share of false ones among the discoveries stays at or below the rate. (Ramdas, Yang, Wainwright & Jordan,
 * "Online control of the false discovery rate with decaying memory", NeurIPS 2017; the form for tests that overlap in time: Zrnic, Ramdas & Jordan,
 * "Asynchronous online testing of multiple hypotheses", JMLR 2021.)
 *
 * α_t = W0 γ_t + (α − W0) γ_{t − r₁} + α Σ_{j ≥ 2} γ_{t − r_j}, with r_j the time from which the j-th discovery no longer shares data with the test at
 * hand: its own time + lag. γ_j = j^{−1.6}/ζ(1.6) sums to one.
 *
 * A test may itself be a family: it counts as discovered when its smallest q-value (false-discovery.ts) is at or below the level, and its members are
 * rejected at that level. Then the average over the families that say something of the false share in each is held (Benjamini & Bogomolov, JRSS B 2014).
 *
 * I1  State is plain JSON; functions return a new one.
 * I2  Only the newest 200 discoveries are remembered. To forget one only lowers levels.
 *
 * @example
 * let state = startDiscovery();
 * const level = discoveryLevel(state, { rate: .05, lag: 13 });
 * state = tested(state, p <= level);
 */
import { demand } from '../bad-input.js';

export interface DiscoveryState {
  /** Tests so far. */
  readonly tests: number;
  /** Which of them (1 is the first) were discoveries, ascending. */
  readonly discoveries: readonly number[];
}

export interface DiscoveryOptions {
  /** α: false-discovery rate, 0 < α < 1. */
  readonly rate: number;
  /** W0: what there is to begin with, at most α. Default ½α. */
  readonly wealth?: number;
  /** Tests on end that share data with one before: a window of 14 days that is looked at daily has 13. Default 0. */
  readonly lag?: number;
}

const remembered = 200;
/** ζ(1.6) */
const zeta = 2.2857656563;

export const startDiscovery = (): DiscoveryState => ({ tests: 0, discoveries: [] });

/** The level of the next test. @throws BadInput for a rate, wealth or lag out of range. */
export function discoveryLevel({ tests, discoveries }: DiscoveryState, options: DiscoveryOptions): number {
  const { rate, wealth = rate / 2, lag = 0 } = options;
  const allowed = rate > 0 && rate < 1 && wealth > 0 && wealth <= rate && Number.isInteger(lag) && lag >= 0;
  demand(
    allowed,
    'discoveryLevel',
    () => `rate ${rate}, wealth ${wealth}, lag ${lag}`,
    'pass 0 < rate < 1, 0 < wealth ≤ rate, a whole lag',
  );
  const t = tests + 1;
  const earned = discoveries.map((at, j) => (j === 0 ? rate - wealth : rate) * gamma(t - at - lag));
  return wealth * gamma(t) + earned.reduce((sum, part) => sum + part, 0);
}

/** The state after one more test. */
export function tested({ tests, discoveries }: DiscoveryState, discovered: boolean): DiscoveryState {
  const kept = discovered ? [...discoveries, tests + 1].slice(-remembered) : discoveries;
  return { tests: tests + 1, discoveries: kept };
}

const gamma = (j: number): number => (j < 1 ? 0 : j ** -1.6 / zeta);
