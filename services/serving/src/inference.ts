/** Answering a request: the rollout, the route, features, scores of all versions at once, the answer, the log. */
import { Arm, type Prediction } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { FeatureReader, type Features } from './feature-reader.js';
import { PredictionLog } from './prediction-log.js';
import { entityOf, idOf, nameOf, type Questions } from './question.js';
import { RolloutChoice } from './rollout-choice.js';
import { pinnedRoute, type Route, route } from './routing.js';
import { type Scored, Scorer } from './scorer.js';
import type { ServedModel, ServedRollout } from './served-models.js';

/** A request to answer. */
export interface Asking {
  readonly model: ServedModel;
  /** A version or alias; '' for whoever answers now. */
  readonly version: string;
  readonly questions: Questions;
  /** Event time of the questions, epoch ms. */
  readonly time: number;
  /** Whether the caller gave the time. */
  readonly replay: boolean;
  /** Wall ms that the caller has for features. */
  readonly patienceMs: number;
  /** Who asks: what is limited, is limited for each. */
  readonly caller: string;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** A request's answer: all its rows by one version. */
export interface Answer {
  readonly version: string;
  readonly arm: Arm;
  readonly probabilities: number[];
  /** Features that were imputed in some row. */
  readonly imputed: readonly string[];
  /** Features that are stale in some row. */
  readonly stale: readonly string[];
  /** How far the feature store was behind at most, ms. */
  readonly behindMs: number;
  /** Not empty: why the arm's version did not answer, and the champion did. */
  readonly error: string;
  /** Not empty: the version that should have answered, and cannot be loaded here; `version` answers in its place. */
  readonly fallbackFor: string;
}

/** Who answers after all: index of the version and of its graph in the scored set. */
interface Outcome {
  readonly version: number;
  readonly graph: number;
  readonly error: string;
}

@Injectable()
export class Inference {
  constructor(
    private readonly rollouts: RolloutChoice,
    private readonly features: FeatureReader,
    private readonly scorer: Scorer,
    private readonly log: PredictionLog,
  ) {}

  /**
   * Answers a request. One that names its version is a look, not traffic: that version answers alone, with the features
   * that are there, and nothing is logged. In a replay the answer comes when its prediction is durable.
   */
  async answer(asking: Asking): Promise<Answer> {
    const { model, replay } = asking;
    const answer = await this.answerOnce(asking);
    if (replay && !asking.version) await this.log.durable(model);
    return answer;
  }

  private async answerOnce(asking: Asking): Promise<Answer> {
    const { model, replay, time } = asking;
    this.log.began();
    try {
      const present = replay ? undefined : this.rollouts.holdPresent(model);
      const rollout = present ?? (await this.rollouts.hold(model, replay ? time : undefined));
      try {
        return await this.answerBy(rollout, asking);
      } finally {
        this.rollouts.release(rollout);
      }
    } finally {
      this.log.ended();
    }
  }

  private async answerBy(rollout: ServedRollout, asking: Asking): Promise<Answer> {
    const { model, version, questions, time, patienceMs } = asking;
    const way = version ? pinnedRoute(model.model, rollout, version) : route(rollout, questions.entity || questions.id);
    const replay = asking.replay && !way.pinned;
    const { caller, signal } = asking;
    const reading = { time, stamped: asking.replay, replay, patienceMs, caller, signal };
    const features = await this.features.read(model, questions, reading);
    const scored = await this.scorer.score(way.graphs, features);
    const outcome = outcomeOf(way, rollout, scored, questions.rows);
    if (!way.pinned && !signal.aborted) {
      const made = features.map((row, i) => predictionOf(asking, i, row, rollout, way, scored, outcome));
      await this.log.add(model, made, replay);
    }
    return {
      version: rollout.versions[outcome.version].version,
      arm: way.arm,
      probabilities: features.map((_, row) => scored.probability(outcome.graph, row)),
      imputed: namesIn(features, 'imputed'),
      stale: namesIn(features, 'stale'),
      behindMs: features.reduce((most, row) => Math.max(most, row.behindMs), 0),
      error: outcome.error,
      fallbackFor: way.pinned || asking.replay ? '' : this.rollouts.fallbackFor(model, rollout),
    };
  }
}

/** The route's version where it gives every row a probability; else, for a canary, the champion. Throws SCORING_FAILED. */
function outcomeOf({ answers, arm, pinned }: Route, rollout: ServedRollout, scored: Scored, rows: number): Outcome {
  const graph = pinned ? 0 : answers;
  const error = firstError(scored, graph, rows);
  if (!error) return { version: answers, graph, error };
  const champion = rollout.names.get('champion')!;
  if (arm !== Arm.CANARY || firstError(scored, champion, rows))
    throw errors.SCORING_FAILED({ version: rollout.versions[answers].version, problem: error });
  return { version: champion, graph: champion, error };
}

function firstError(scored: Scored, graph: number, rows: number): string {
  for (let row = 0; row < rows; row++) {
    const error = scored.error(graph, row);
    if (error) return error;
  }
  return '';
}

function predictionOf(
  { questions, time }: Asking,
  row: number,
  { numbers, texts, imputed, entityTime }: Features,
  { versions }: ServedRollout,
  { arm, answers }: Route,
  scored: Scored,
  outcome: Outcome,
): Prediction {
  const shadows: Prediction['shadows'] = [];
  for (let v = 0; v < versions.length; v++)
    if (v !== outcome.version)
      shadows.push({
        version: versions[v].version,
        probability: scored.probability(v, row),
        latencyMs: scored.ms(v),
        error: scored.error(v, row).slice(0, longestError),
      });
  return {
    id: idOf(questions, row),
    entityId: entityOf(questions, row),
    entityTime: new Date(entityTime ?? time),
    eventTime: new Date(time),
    version: versions[outcome.version].version,
    probability: scored.probability(outcome.graph, row),
    arm,
    shadows,
    numbers,
    texts,
    imputed,
    latencyMs: scored.ms(answers),
    error: outcome.error.slice(0, longestError),
    question: nameOf(questions, row),
  };
}

const longestError = 500;

function namesIn(features: readonly Features[], what: 'imputed' | 'stale'): readonly string[] {
  if (features.length === 1) return features[0][what];
  return [...new Set(features.flatMap((row) => row[what]))];
}
