/**
 * Deadlines of a cycle's stages, in event time. They stand still while the champion is frozen: a trial that may not go on
 * is not late. A training goes on under a freeze, and its deadline too.
 */

import type { CycleDocument } from './loop-rows.js';
import type { ModelView } from './view.js';

type Stage = Pick<CycleDocument, 'stage' | 'stageSince' | 'opened' | 'deadline'>;

/** By when the present stage has to be over, as it stands at an instant; epoch ms. */
export function deadlineOf(view: ModelView, { stage, stageSince, opened, deadline }: Stage, at: number): number {
  return stage === 'training' ? deadline : deadline + view.heldMs(stageSince ?? opened, at);
}
