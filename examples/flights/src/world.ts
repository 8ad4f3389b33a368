/** An outside world that can be played against Driftloop: what happens, in the order in which it becomes known. */
import type { Fact, Question, ReportedOutcome } from '@driftloop/client';

/** A fact of a source, an outcome, or a question, at the moment (epoch ms) at which it becomes known or is asked. */
export type Happening =
  | { at: number; kind: 'fact'; source: string; fact: Fact }
  | { at: number; kind: 'outcome'; outcome: ReportedOutcome }
  | { at: number; kind: 'question'; question: Question };

/** A world around one model. What comes before its first question is history. */
export interface World {
  /** The model's name. */
  readonly model: string;
  /** The label's full name, "model.label". */
  readonly label: string;
  /** The ModelSpec, YAML or JSON. */
  readonly spec: string;
  /** Every source that facts come from: each promises, step by step, that there is no more up to then. */
  readonly sources: readonly string[];
  /** Ascending by `at`. */
  readonly happenings: readonly Happening[];
  /**
   * How much event time passes at once, ms; an hour where it is left out. A hop of the loop takes a step. At most the
   * spec's `monitoring.silence`: a source that lags by more holds no question back, and the answers of a step would hang
   * on how soon its labels are there.
   */
  readonly step?: number;
}

/** What the module of a world exports: the replay opens the world; whoever scores the answers asks for the truth. */
export interface WorldModule {
  readonly model: string;
  openWorld(): World;
  /** The final truth by entity; one that never got a label is not in it. */
  truth(): ReadonlyMap<string, number>;
}

/** Imports a world's module by its URL. Throws an Error that says what such a module is. */
export async function importWorld(url: string): Promise<WorldModule> {
  const { model, openWorld, truth } = (await import(url)) as Partial<WorldModule>;
  if (typeof model !== 'string' || typeof openWorld !== 'function' || typeof truth !== 'function')
    throw new Error(`${url} is no world: it must export model, openWorld() and truth()`);
  return { model, openWorld, truth };
}
