/** The recipe: what is run, as the lineage keeps it, so that the next training can run the same again. */
import type { BoosterParameters, PlattCalibrator } from '@driftloop/algorithms';
import { canonicalJson, type ModelSpec } from '@driftloop/contracts';

/** The part of the trainer's parameters that a spec states. */
export type Declared = ModelSpec['spec']['training']['parameters'];

/** One trial of a search: what was tried and how it did on the days before the embargo. */
export interface Trial {
  readonly parameters: Declared;
  /** Mean log loss on the validation days. */
  readonly loss: number;
  /** t of loss(declared) − loss(trial), by day: positive is better than the declared parameters. */
  readonly t: number;
}

/** Platt's line, the out-of-fold rows that it was fitted on, and the t by which it helped there (folds.ts, I3). */
export type Calibrator = PlattCalibrator & { readonly rows: number; readonly t: number };

/** The recipe as run: `Lineage.recipe_json`. */
export interface Recipe {
  readonly recipe: 'boosting';
  /** What the spec declared; a search holds for as long as it stays the same. */
  readonly declared: Declared;
  /** What was run, tree count included. */
  readonly parameters: Declared;
  readonly trials: readonly Trial[];
  readonly calibrator: Calibrator;
  readonly rows: { readonly released: number; readonly twin: number; readonly embargo: number };
}

/** The champion's parameters from its lineage, unless it has none or the spec declares others than it was searched under. */
export function inherited(
  recipeJson: string | undefined,
  spec: ModelSpec,
): Pick<Recipe, 'parameters' | 'trials'> | null {
  if (!recipeJson) return null;
  try {
    const { recipe, declared, parameters, trials } = JSON.parse(recipeJson) as Recipe;
    const same = canonicalJson(declared) === canonicalJson(spec.spec.training.parameters);
    return recipe === 'boosting' && same && parameters ? { parameters, trials: trials ?? [] } : null;
  } catch {
    return null;
  }
}

/** A leaf holds no more than a 150th of the rows that are learned from, so that what suits 30,000 rows suits 2,000; but never fewer than 20 for that. */
const LEAVES_AT_LEAST = 150;
const SMALLEST_LEAF = 20;

/** For the trainer, which learns from so many rows. `toTheEnd` grows all trees instead of stopping early. */
export function boosterParameters(declared: Declared, rows: number, toTheEnd = true): Partial<BoosterParameters> {
  const leaf = Math.max(SMALLEST_LEAF, Math.floor(rows / LEAVES_AT_LEAST));
  const minRowsPerLeaf = Math.min(declared.minRowsPerLeaf, leaf);
  return { ...declared, minRowsPerLeaf, loss: 'logistic', ...(toTheEnd && { earlyStoppingRounds: 0 }) };
}
