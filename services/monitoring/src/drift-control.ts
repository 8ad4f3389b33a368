/**
 * What may be said to have moved: the false-discovery rate over features, slices and windows is held at
 * spec.monitoring.falseDiscoveryRate for each champion's time in service.
 *
 * A window is tested when its newest day has closed: Benjamini–Yekutieli over the features and slices (they depend on each
 * other), at a level that LORD++ grants the window (windows overlap; one that found something refills the budget once it
 * shares no day with the next).
 *
 * I1  What stands as moved is told once and not tested again until it has come back (p above the rate), so that one
 *     movement is one discovery.
 * I2  The state is plain JSON in the watch's document; stepping it again from the same gives the same.
 */
import { tested as afterTest, benjaminiYekutieli, discoveryLevel, startDiscovery } from '@driftloop/algorithms';
import type { Movement } from '@driftloop/contracts';
import { byStrength, keyOf } from './diagnosis.js';
import type { DriftControl } from './loop-rows.js';

export interface Controlled {
  readonly control: DriftControl;
  /** With `q_value` and `moved`, moved ones first, strongest first. */
  readonly movements: Movement[];
}

export interface ControlOptions {
  readonly champion: string;
  readonly rate: number;
  /** Days of a window. */
  readonly window: number;
}

/** Tests a new window. Without movements (no whole window yet) nothing is spent. */
export function step(
  movements: readonly Movement[],
  held: DriftControl | undefined,
  options: ControlOptions,
): Controlled {
  const { rate, window, champion } = options;
  const before = held?.champion === champion ? held : start(champion);
  if (!movements.length || rate <= 0) return marked(movements, before);
  const level = discoveryLevel(before.budget, { rate: Math.min(rate, 0.999), lag: window - 1 });
  const family = newcomers(movements, before);
  const q = benjaminiYekutieli(family.map(({ pValue }) => pValue));
  const found = family.filter((_, i) => q[i] <= level).map(keyOf);
  const back = new Set(movements.filter(({ pValue }) => pValue > rate).map(keyOf));
  const standing = [...before.standing.filter((key) => !back.has(key)), ...found].sort();
  const control = { champion, budget: afterTest(before.budget, found.length > 0), level, standing };
  return marked(movements, control, before);
}

/** As the newest test left it: for a window that was tested already. */
export function stand(movements: readonly Movement[], held: DriftControl | undefined, champion: string): Controlled {
  return marked(movements, held?.champion === champion ? held : start(champion));
}

const start = (champion: string): DriftControl => ({ champion, budget: startDiscovery(), level: 0, standing: [] });

/** I1 */
function newcomers(movements: readonly Movement[], { standing }: DriftControl): Movement[] {
  const known = new Set(standing);
  return movements.filter((movement) => !known.has(keyOf(movement)));
}

function marked(movements: readonly Movement[], control: DriftControl, before = control): Controlled {
  const family = newcomers(movements, before);
  const q = new Map(benjaminiYekutieli(family.map(({ pValue }) => pValue)).map((q, i) => [keyOf(family[i]), q]));
  const all = benjaminiYekutieli(movements.map(({ pValue }) => pValue));
  const standing = new Set(control.standing);
  const told = movements.map((movement, i) => ({
    ...movement,
    qValue: q.get(keyOf(movement)) ?? all[i],
    moved: standing.has(keyOf(movement)),
  }));
  return { control, movements: told.sort(byStrength) };
}
