/**
 * What this replica serves: each model's spec, its rollouts by the event time from which they hold, and their sessions.
 *
 * I1  A rollout takes over only once each of its versions is loaded; until then, and where one cannot be loaded, the
 *     last good one goes on answering.
 * I2  A question about event time t is answered by the rollout that held at t, also after a restart.
 */
import {
  type FeatureColumn,
  featureColumns,
  featureLayout,
  type ModelSpec,
  type Rollout,
  type ServedVersion,
} from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';

/** A model as this replica knows it. */
export interface ServedModel {
  readonly tenant: string;
  readonly model: string;
  readonly spec: ModelSpec;
  readonly specRevision: number;
  readonly columns: readonly FeatureColumn[];
  readonly layout: { numbers: string[]; texts: string[] };
  /** Newest first, by `effective`. */
  readonly rollouts: Rollout[];
}

const keptRollouts = 50;

@Injectable()
export class ServedModels {
  private readonly models = new Map<string, ServedModel>();

  /** Takes a spec; a revision that is not newer is ignored. */
  declare(tenant: string, model: string, specRevision: number, spec: ModelSpec): void {
    const known = this.models.get(`${tenant}/${model}`);
    if (known && known.specRevision >= specRevision) return;
    const columns = featureColumns(spec);
    const served = {
      tenant,
      model,
      spec,
      specRevision,
      columns,
      layout: featureLayout(spec),
      rollouts: known?.rollouts ?? [],
    };
    this.models.set(`${tenant}/${model}`, served);
  }

  get(tenant: string, model: string): ServedModel | undefined {
    return this.models.get(`${tenant}/${model}`);
  }

  /** Throws UNKNOWN_MODEL. */
  find(tenant: string, model: string): ServedModel {
    const known = [...this.models.values()].filter((m) => m.tenant === tenant).map((m) => m.model);
    return this.get(tenant, model) ?? raise(errors.UNKNOWN_MODEL({ model, known }));
  }

  all(): ServedModel[] {
    return [...this.models.values()];
  }

  /** Lets a loaded rollout take over; a revision that is known already changes nothing. */
  follow(tenant: string, model: string, rollout: Rollout): void {
    const { rollouts } = this.find(tenant, model);
    if (rollouts.some((known) => known.revision === rollout.revision)) return;
    rollouts.push(rollout);
    rollouts.sort((a, b) => b.revision - a.revision);
    rollouts.splice(keptRollouts);
  }
}

/** The rollout that held at an event time (epoch ms), or the present one; undefined before the first. */
export function rolloutAt({ rollouts }: ServedModel, time: number | undefined): Rollout | undefined {
  if (time === undefined) return rollouts[0];
  return rollouts.find((rollout) => rollout.effective!.getTime() <= time) ?? rollouts.at(-1);
}

/** Every version that a rollout needs, once each. */
export function versionsOf(rollout: Rollout): ServedVersion[] {
  const versions = [rollout.champion, rollout.challenger, rollout.frozen].filter((v) => v !== undefined);
  return [...new Map(versions.map((v) => [v.version, v])).values()];
}

export function raise(error: Error): never {
  throw error;
}
