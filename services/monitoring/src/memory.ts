/** What a tick is, and what is remembered of a model between two of them. */

import type { CycleDocument, WatchDocument } from './loop-rows.js';
import type { ModelView } from './view.js';
import type { Progress } from './watch.js';

/** The tick as monitoring sees it. */
export interface Tick {
  /** Epoch ms, event time. */
  readonly now: number;
  readonly replay: boolean;
  /** The tick before, undefined at the first. */
  readonly previous: number | undefined;
}

/** A copy of a model's documents. */
export interface ModelMemory {
  readonly view: ModelView;
  readonly progress: Progress;
  watch: WatchDocument;
  cycle: CycleDocument | undefined;
  /** The newest closed day that the judge has seen. */
  judged: number | undefined;
  /** Whether this process has looked at the breaker. */
  looked: boolean;
  /** A person has paused the loop: no cycle opens. */
  paused: boolean;
}
