/** The feature store: one definition of a feature, computed as of any moment, online and offline. */
export { featureStore } from './feature-store.module.js';
export { type Answer, FeatureView, type Question } from './views/feature-view.js';
export { planOf, type ViewPlan } from './views/plan.js';
export type { Row } from './views/source-rows.js';
