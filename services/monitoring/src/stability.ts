/**
 * Movements as signals: the PSI of each feature and of the prediction, an alarm where it is at or above the warning and
 * the movement is no accident: it stands (drift-control.ts), and among all of today's it still shows.
 *
 * I1  A slice is a signal only where it has moved and the whole has not: else the whole says it.
 * I2  What is shown at a glance is bounded: the strongest, and how many there are.
 */
import type { Evidence, Movement } from '@driftloop/contracts';
import { keyOf } from './diagnosis.js';
import type { DriftControl } from './loop-rows.js';
import type { ModelView } from './view.js';

const shown = 10;

/** One piece of evidence a feature, and one a slice that moved by itself. */
export function stability(view: ModelView, movements: readonly Movement[]): Partial<Evidence>[] {
  const { psi, falseDiscoveryRate } = view.spec.monitoring;
  const threshold = psi.warnAt;
  const sounds = ({ moved, qValue, psi }: Movement) => moved && qValue <= falseDiscoveryRate && psi >= threshold;
  const whole = new Set(movements.filter(({ slice, moved }) => !slice && moved).map(({ feature }) => feature));
  const own = movements.filter(({ slice, moved, feature }) => !slice || (moved && !whole.has(feature)));
  return own.map((movement) => ({
    ...{ test: 'psi', subject: keyOf(movement), statistic: movement.psi, threshold },
    ...{ holds: sounds(movement), rows: movement.rows, days: movement.days },
    note: inWords(movement),
  }));
}

/** The signals of a glance: of PSI those that sound and the strongest, and in one line how many moved. */
export function atAGlance(
  evidence: readonly Partial<Evidence>[],
  movements: readonly Movement[],
  control: DriftControl | undefined,
): Partial<Evidence>[] {
  const psi = evidence.filter(({ test }) => test === 'psi');
  const order = (a: Partial<Evidence>, b: Partial<Evidence>) =>
    Number(b.holds) - Number(a.holds) || b.statistic! - a.statistic!;
  const strongest = [...psi].sort(order).slice(0, shown);
  const rest = evidence.filter(({ test }) => test !== 'psi');
  return [...rest, ...(control && movements.length ? [summary(movements, control, psi[0])] : []), ...strongest];
}

function summary(
  movements: readonly Movement[],
  control: DriftControl,
  of: Partial<Evidence> | undefined,
): Partial<Evidence> {
  const moved = movements.filter(({ moved }) => moved);
  const [first] = movements;
  return {
    ...{ test: 'movements', subject: control.champion, statistic: moved.length, threshold: 1, holds: moved.length > 0 },
    ...{ rows: first.rows, days: first.days, windowStart: of?.windowStart, windowEnd: of?.windowEnd },
    note: `of ${movements.length} features and slices; q-values against ${control.level.toPrecision(2)}`,
  };
}

/** The leading movements as evidence for a decision that they do not make. */
export function leading(view: ModelView, movements: readonly Movement[], most = 5): Partial<Evidence>[] {
  return movements
    .filter(({ moved }) => moved)
    .slice(0, most)
    .map((movement) => ({
      ...{ test: 'movement', subject: keyOf(movement), statistic: movement.psi },
      ...{ threshold: view.spec.monitoring.psi.warnAt, holds: movement.psi >= view.spec.monitoring.psi.warnAt },
      ...{ rows: movement.rows, days: movement.days, note: inWords(movement) },
    }));
}

/** "0.31 → 0.45, KS 0.21, 0.8 spreads, q 2e-5, 60% of the rise in loss" */
export function inWords({ reference, present, ks, wasserstein, qValue, lossShare, note }: Movement): string {
  const short = (x: number) => String(Number(x.toPrecision(2)));
  const parts = [
    `${note ? `${note} ` : ''}${Number(reference.toPrecision(3))} → ${Number(present.toPrecision(3))}`,
    ...(ks ? [`KS ${short(ks)}, ${short(wasserstein)} spreads`] : []),
    `q ${short(qValue)}`,
    ...(lossShare ? [`${Math.round(100 * lossShare)}% of the rise in loss`] : []),
  ];
  return parts.join(', ');
}
