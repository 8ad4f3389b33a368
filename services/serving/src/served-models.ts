/**
 * What this replica serves: each model's spec, its inputs, and its rollouts by the event time from which they hold.
 *
 * I1  All that a request needs to know of a model or a rollout is computed when it changes, not when it is asked.
 * I2  A question about event time t is answered by the rollout that held at t, also after a restart.
 * I3  The newest rollout is loaded before it is remembered here; the service is ready when every model has one.
 */
import {
  featureColumns,
  featureLayout,
  type ModelSpec,
  own as ownOf,
  type Rollout,
  type ServedVersion,
} from '@driftloop/contracts';
import { Isolation, Readiness, type Subject } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';

export type InputKind = 'number' | 'text' | 'time';

/** An input that requests may carry: the request's own, or a feature that the store supplies when it is left out. */
export interface ModelInput {
  readonly name: string;
  readonly kind: InputKind;
  /** Declared in `request.inputs`. */
  readonly own: boolean;
  /** Among all inputs. */
  readonly position: number;
}

/** Graphs that score a row together, in order: compared by identity, so that rows which want the same go together. */
export interface GraphSet {
  /** SHA-256 of each graph. */
  readonly keys: readonly string[];
}

/** A rollout with all that routing needs. */
export interface ServedRollout extends GraphSet {
  readonly rollout: Rollout;
  readonly revision: number;
  /** Epoch ms. */
  readonly effective: number;
  /** Each version once; `keys` are their graphs. */
  readonly versions: readonly ServedVersion[];
  /** Index of a version by its name or alias. */
  readonly names: ReadonlyMap<string, number>;
  /** Each version by itself, for requests that name one. */
  readonly alone: readonly GraphSet[];
  /** Versions of the rollout that cannot be loaded here: they are in nothing of the above, and never the champion. */
  readonly missing: readonly string[];
}

/** Why this replica does not serve the newest rollout as it is. */
export interface Lack {
  readonly rollout: ServedRollout;
  /** The version that cannot be loaded. */
  readonly version: string;
}

/** A model as this replica knows it. */
export interface ServedModel {
  readonly key: string;
  readonly tenant: string;
  readonly model: string;
  readonly spec: ModelSpec;
  readonly specRevision: number;
  readonly layout: { readonly numbers: readonly string[]; readonly texts: readonly string[] };
  readonly inputs: ReadonlyMap<string, ModelInput>;
  /** For each column of the layout the position of its input. */
  readonly positions: { readonly numbers: readonly number[]; readonly texts: readonly number[] };
  /** Position of the input that is the entity's own time. */
  readonly entityTime: number;
  /** Newest first. Those behind the first may not be loaded (any more). */
  readonly rollouts: ServedRollout[];
}

/** What a model is set aside from, as errors and metrics name it. */
export const opening = 'opening';
/** How many rollouts a model remembers. */
export const keptRollouts = 50;
/** A model, as readiness names it. */
const placeOf = (key: string): string => `model ${key}`;

@Injectable()
export class ServedModels {
  private readonly models = new Map<string, ServedModel>();
  private readonly lacks = new Map<string, Lack>();

  constructor(
    private readonly readiness: Readiness,
    private readonly isolation: Isolation,
  ) {}

  /** Takes a spec; a revision that is not newer is ignored. Throws COLUMNS_CHANGED. */
  declare(tenant: string, model: string, specRevision: number, spec: ModelSpec): ServedModel {
    const key = `${tenant}/${model}`;
    const known = this.models.get(key);
    if (known && known.specRevision >= specRevision) return known;
    const layout = featureLayout(spec);
    if (known && JSON.stringify(known.layout) !== JSON.stringify(layout)) throw errors.COLUMNS_CHANGED({ model });
    const rollouts = known?.rollouts ?? [];
    const served = { key, tenant, model, spec, specRevision, layout, ...inputsOf(spec, layout), rollouts };
    this.models.set(key, served);
    this.isolation.cleared(served, opening);
    if (!rollouts.length) this.unanswered(key, 'it is declared and no version of it is loaded yet');
    return served;
  }

  /** A replica that starts is not ready before each of its models answers; one that runs is not held up by another model. */
  awaited({ key, rollouts }: ServedModel): void {
    if (!rollouts.length) this.readiness.paused(placeOf(key), 'it is declared and no version of it is loaded yet');
  }

  /** Remembers a rollout; a revision that is known already changes nothing. The newest has been loaded before (I3). */
  remember({ key, rollouts }: ServedModel, rollout: ServedRollout): void {
    if (rollouts.some(({ revision }) => revision === rollout.revision)) return;
    rollouts.push(rollout);
    rollouts.sort((a, b) => b.revision - a.revision);
    rollouts.splice(keptRollouts);
    this.answered(key);
  }

  /** Puts a rollout in the place of what was remembered of its revision: more or less of it can be loaded now. */
  replace(served: ServedModel, rollout: ServedRollout): void {
    const at = served.rollouts.findIndex(({ revision }) => revision === rollout.revision);
    if (at >= 0) served.rollouts.splice(at, 1);
    this.remember(served, rollout);
  }

  /** Notes what of the newest rollout cannot be served here; undefined: all of it can. */
  lacking({ key }: ServedModel, lack: Lack | undefined): void {
    if (lack) this.lacks.set(key, lack);
    else this.lacks.delete(key);
  }

  lackOf({ key }: ServedModel): Lack | undefined {
    return this.lacks.get(key);
  }

  /** Forgets a rollout that cannot be served: the one before it holds in its place. */
  forget({ key, rollouts }: ServedModel, rollout: ServedRollout): void {
    const at = rollouts.indexOf(rollout);
    if (at >= 0) rollouts.splice(at, 1);
    if (!rollouts.length) this.unanswered(key, 'no version of it can be loaded');
  }

  /** Forgets a model that is set aside: the replica is ready without it. */
  drop({ tenant, model }: Subject): void {
    const key = `${tenant}/${model}`;
    this.models.delete(key);
    this.answered(key);
  }

  isSetAside({ tenant, model }: Subject): boolean {
    return this.isolation.of({ tenant, model }).length > 0;
  }

  get(tenant: string, model: string): ServedModel | undefined {
    return this.models.get(`${tenant}/${model}`);
  }

  /** Throws UNKNOWN_MODEL, or MODEL_SET_ASIDE. */
  find(tenant: string, model: string): ServedModel {
    const found = this.get(tenant, model);
    if (found) return found;
    this.isolation.check({ tenant, model }, opening);
    throw errors.UNKNOWN_MODEL({ model, known: this.namesOf(tenant) });
  }

  all(): ServedModel[] {
    return [...this.models.values()];
  }

  /** For a person to look at: nobody's question to another model fails because of it. */
  private unanswered(key: string, why: string): void {
    this.readiness.attend(placeOf(key), `${placeOf(key)}: ${why}`);
  }

  private answered(key: string): void {
    this.readiness.attend(placeOf(key), '');
    this.readiness.resumed(placeOf(key));
  }

  private namesOf(tenant: string): string[] {
    return this.all()
      .filter((model) => model.tenant === tenant)
      .map(({ model }) => model);
  }
}

/**
 * The rollout that held at an event time (epoch ms), or the present one. What a tick changes holds for questions after
 * it: those of the tick's own time were asked before it, and must be answered the same when they are asked again.
 * Undefined before the first known: where its revision is 1 there was none before it, and it is the answer.
 */
export function rolloutAt({ rollouts }: ServedModel, time: number | undefined): ServedRollout | undefined {
  if (time === undefined) return rollouts[0];
  const held = rollouts.find(({ effective }) => effective < time);
  if (held) return held;
  return rollouts.at(-1)?.revision === 1 ? rollouts.at(-1) : undefined;
}

/** Makes a rollout ready to route by. Throws ROLLOUT_INVALID. */
export function prepare(model: string, rollout: Rollout): ServedRollout {
  if (!rollout.champion) throw errors.ROLLOUT_INVALID({ model, problem: 'it has no champion' });
  const roles = { champion: rollout.champion, challenger: rollout.challenger, frozen: rollout.frozen };
  const named = Object.entries(roles).filter((role): role is [string, ServedVersion] => role[1] !== undefined);
  const versions = [...new Map(named.map(([, version]) => [version.version, version])).values()];
  const indexOf = (name: string) => versions.findIndex(({ version }) => version === name);
  const own = versions.map(({ version }, i): [string, number] => [version, i]);
  const keys = versions.map(({ version, artifact }) => {
    if (!artifact) throw errors.ROLLOUT_INVALID({ model, problem: `its version ${version} has no artifact` });
    return artifact.sha256;
  });
  return {
    rollout,
    revision: rollout.revision,
    effective: rollout.effective?.getTime() ?? 0,
    versions,
    names: new Map([...own, ...named.map(([alias, v]): [string, number] => [alias, indexOf(v.version)])]),
    keys,
    alone: keys.map((key) => ({ keys: [key] })),
    missing: [],
  };
}

/** A rollout without those of its versions that cannot be loaded: its champion answers in their place. */
export function without(model: string, served: ServedRollout, missing: readonly string[]): ServedRollout {
  if (!missing.length) return served;
  const { rollout } = served;
  const kept = (version: ServedVersion | undefined) =>
    version && missing.includes(version.version) ? undefined : version;
  const rest = { ...rollout, challenger: kept(rollout.challenger), frozen: kept(rollout.frozen) };
  return { ...prepare(model, rest), rollout, missing };
}

function inputsOf(spec: ModelSpec, { numbers, texts }: ServedModel['layout']) {
  const declared = spec.spec.request.inputs;
  const names = [...new Set([...Object.keys(declared), ...featureColumns(spec).map(({ name }) => name)])];
  const kindOf = (name: string): InputKind => ownOf(declared, name) ?? (texts.includes(name) ? 'text' : 'number');
  const inputs = names.map((name, position) => ({
    name,
    kind: kindOf(name),
    own: Object.hasOwn(declared, name),
    position,
  }));
  const positionOf = (name: string) => names.indexOf(name);
  return {
    inputs: new Map(inputs.map((input) => [input.name, input])),
    positions: { numbers: numbers.map(positionOf), texts: texts.map(positionOf) },
    entityTime: positionOf(spec.spec.entity.time),
  };
}
