export { type TrainingOptions, train } from './booster.js';
export {
  type CategoricalColumn,
  type Column,
  type Dataset,
  type Features,
  type NumericColumn,
  selectRows,
} from './dataset.js';
export { type BoosterModel, type BoosterTree, checkModel, isDouble, type ModelFeature } from './model.js';
export { BOOSTER_DEFAULTS, type BoosterParameters, resolveParameters } from './parameters.js';
export { type Contributions, contributions, gainImportance, type Importance, predict, predictRaw } from './predict.js';
