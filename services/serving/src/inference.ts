/** Answering a question: route, features, scores of all versions at once, the answer, the log. */
import { Arm, type Prediction, type Rollout, type ServedVersion } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { FeatureReader, type Features } from './feature-reader.js';
import { Following } from './following.js';
import { PredictionLog } from './prediction-log.js';
import type { Questions } from './question.js';
import { type Route, route } from './routing.js';
import { type Score, Scorer } from './scorer.js';
import { rolloutAt, type ServedModel, versionsOf } from './served-models.js';

/** One row's answer. */
export interface Answer {
  readonly version: string;
  readonly probability: number;
  readonly arm: Arm;
  readonly imputed: readonly string[];
}

@Injectable()
export class Inference {
  constructor(
    private readonly features: FeatureReader,
    private readonly scorer: Scorer,
    private readonly following: Following,
    private readonly log: PredictionLog,
  ) {}

  /**
   * Answers a request's rows as of `time` (epoch ms). An explicit version (name or alias) answers alone and is not
   * logged: it is a look, not traffic.
   */
  async answer(
    model: ServedModel,
    version: string,
    questions: Questions,
    time: number,
    replay: boolean,
  ): Promise<Answer[]> {
    this.log.began();
    try {
      const rollout = rolloutAt(model, replay ? time : undefined);
      if (!rollout) throw errors.NOT_READY({ model: model.model });
      for (const served of versionsOf(rollout)) await this.following.ensureLoaded(model, served);
      const features = await this.features.read(model, questions, time, replay);
      const rows = features.map((row, i) => this.row(model, rollout, version, questions.entities[i], row));
      const answered = await Promise.all(rows);
      if (!version) {
        const predictions = answered.map(({ answer, scores, route }, i) =>
          toPrediction(questions, i, time, features[i], answer, scores, route),
        );
        await this.log.add(model, predictions, replay);
      }
      return answered.map(({ answer }) => answer);
    } finally {
      this.log.ended();
    }
  }

  private async row(model: ServedModel, rollout: Rollout, version: string, entityId: string, features: Features) {
    const route_ = version ? pinned(model, rollout, version) : route(rollout, entityId);
    const versions = [route_.answers, ...route_.shadows];
    const keys = versions.map((v) => v.artifact!.sha256);
    const scores = await this.scorer.score(keys, features.numbers, features.texts);
    return { answer: choose(route_, rollout, versions, scores, features), scores, route: route_ };
  }
}

/** The route of a request that names its version. Throws UNKNOWN_VERSION. */
function pinned(model: ServedModel, rollout: Rollout, name: string): Route {
  const aliases: Record<string, ServedVersion | undefined> = {
    champion: rollout.champion,
    challenger: rollout.challenger,
    frozen: rollout.frozen,
  };
  const versions = versionsOf(rollout);
  const answers = aliases[name] ?? versions.find((v) => v.version === name);
  if (!answers) {
    const known = [...versions.map((v) => v.version), ...Object.keys(aliases).filter((alias) => aliases[alias])];
    throw errors.UNKNOWN_VERSION({ model: model.model, version: name, known });
  }
  return { answers, arm: Arm.CHAMPION, shadows: [] };
}

/** The answering version's score; where a canary gives none, the champion's. Throws SCORING_FAILED. */
function choose(
  route: Route,
  rollout: Rollout,
  versions: ServedVersion[],
  scores: Score[],
  features: Features,
): Answer {
  const { arm } = route;
  const own = scores[0];
  if (own.probability !== undefined)
    return { version: route.answers.version, probability: own.probability, arm, imputed: features.imputed };
  const champion = versions.findIndex((v) => v.version === rollout.champion?.version);
  const probability = scores[champion]?.probability;
  if (arm !== Arm.CANARY || probability === undefined)
    throw errors.SCORING_FAILED({ version: route.answers.version, problem: own.error ?? 'no score' });
  return { version: versions[champion].version, probability, arm, imputed: features.imputed };
}

function toPrediction(
  questions: Questions,
  row: number,
  time: number,
  features: Features,
  answer: Answer,
  scores: Score[],
  route: Route,
): Prediction {
  const { version, probability, arm } = answer;
  const [own, ...others] = scores;
  return {
    id: questions.ids[row],
    entityId: questions.entities[row],
    entityTime: new Date(features.entityTime ?? time),
    eventTime: new Date(time),
    version,
    probability,
    arm,
    shadows: others.map((score, i) => ({
      version: route.shadows[i].version,
      probability: score.probability ?? Number.NaN,
      latencyMs: score.ms,
      error: score.error ?? '',
    })),
    numbers: features.numbers,
    texts: features.texts,
    imputed: [...features.imputed],
    latencyMs: own.ms,
    error: own.error ?? '',
  };
}
