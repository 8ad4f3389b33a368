/**
 * The year of flights as the controls use it: one point-in-time training set, built by the feature store itself from the
 * facts told through its public door, and the models that the recipe trains on parts of it.
 *
 * I1  The set is kept in the controls' home under a hash of what it is made from, and every trained model's answers under one
 *     of that and the recipe: another policy, gate or judge needs neither anew.
 * I2  Recipe, gate, judge and policy are the product's. Only the booster has fewer trees than the default, each learning
 *     faster: many models are needed, and none of them is for use.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { History, type LoopRules, type ModelScores } from '@driftloop/algorithms';
import { Control as Doors, Reporter } from '@driftloop/client';
import { canonicalJson, FeatureStoreClient, type ModelSpec, parseModelSpec } from '@driftloop/contracts';
import { openHouse } from '@driftloop/embedded';
import { flightsWorld, importWorld, Telling, type World } from '@driftloop/flights';
import { call } from '@driftloop/service';
import { historyOf, Models, type Parts, readTrainingSet, rulesOf, type TrainingTable } from '@driftloop/training';

const hour = 3_600_000;
const day = 24 * hour;
const ever = new Date(Date.UTC(2199, 11, 31));

export interface Year {
  readonly spec: ModelSpec;
  readonly table: TrainingTable;
  readonly history: History;
  readonly rules: LoopRules;
  /** Cutoffs at which enough is known to train, `everyDays` apart, with `left` days of history after each. */
  cutoffs(everyDays: number, left: number): number[];
  /** Models of the recipe, trained on the table or on one with other labels; kept by `name` where one is given. */
  models(options?: { seed?: number; table?: TrainingTable; name?: string }): ModelsAt;
}

export interface ModelsAt {
  at(cutoff: number): Promise<ModelScores>;
}

/** Opens the year, building the set where it is not kept. */
export async function openYear(home: string, tell: (what: string) => void): Promise<Year> {
  const world = (await importWorld(flightsWorld.href)).openWorld();
  const spec = parseModelSpec(world.spec);
  const name = nameOf(madeFrom(spec));
  const path = join(home, `year-${name}.parquet`);
  if (!existsSync(path)) {
    tell('telling the feature store a year of flights; its training set is kept');
    await buildSet(world, home, path);
  }
  const table = await readTrainingSet(path, spec);
  const quicker = quick(spec);
  return yearOf(table, quicker, join(home, `models-${nameOf([name, quicker.spec.training])}`));
}

/** A year from a table, with trained models kept in a folder where one is given. */
export function yearOf(table: TrainingTable, spec: ModelSpec, folder?: string): Year {
  const history = historyOf(table, spec);
  return {
    spec,
    table,
    history,
    rules: rulesOf(spec),
    cutoffs: (everyDays, left) => cutoffsOf(history, everyDays, left),
    models({ seed = spec.spec.training.seed, table: other = table, name } = {}) {
      const seeded = { ...spec, spec: { ...spec.spec, training: { ...spec.spec.training, seed } } };
      const kept =
        folder && (other === table || name) ? folderParts(join(folder, `${name ?? 'true'}-${seed}`)) : noParts;
      return new Models(other, history, seeded, history.recorded.knownAt[0], kept);
    },
  };
}

/** Every so many days from the first 12 % on, at the closing of a day. */
function cutoffsOf({ days, rows }: History, everyDays: number, left: number): number[] {
  const first = days.findIndex(({ to }) => to >= 0.12 * rows);
  return days.slice(first, days.length - left).flatMap(({ closedAt }, i) => (i % everyDays ? [] : [closedAt]));
}

/** The parts of a spec that a training set is made from. */
function madeFrom({ spec }: ModelSpec) {
  const { entity, question, cohort, request, derived, sources, features, label } = spec;
  return { entity, question, cohort, request, derived, sources, features, label: label.name };
}

const nameOf = (parts: unknown): string => createHash('sha256').update(canonicalJson(parts)).digest('hex').slice(0, 16);

/** I2 */
export function quick(spec: ModelSpec): ModelSpec {
  const { training } = spec.spec;
  const parameters = { ...training.parameters, trees: 60, learningRate: 0.15, maxBins: 64 };
  const quicker = { ...training, parameters, search: { ...training.search, trials: 0 }, calibration: { folds: 2 } };
  return { ...spec, spec: { ...spec.spec, training: quicker } };
}

async function buildSet({ model, label, spec, sources, happenings }: World, home: string, path: string): Promise<void> {
  const folder = join(home, 'house');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const house = await openHouse(folder, { anyPorts: true, environment: { DRIFTLOOP_LOG_LEVEL: 'fatal' } });
  const address = (service: string) => house.address(service);
  const reporter = new Reporter(
    { featureStore: address('feature-store'), labeling: address('labeling') },
    house.replayToken,
  );
  const telling = new Telling({ model, label, sources }, reporter);
  try {
    const doors = new Doors(house.url, house.replayToken);
    await doors.apply(spec, new Date(happenings[0].at - hour));
    await doors.settled();
    let next = 0;
    for (let to = happenings[0].at + 7 * day; next < happenings.length; to += 7 * day) {
      const from = next;
      while (next < happenings.length && happenings[next].at <= to) next++;
      await telling.tell(happenings.slice(from, next), to);
    }
    await doors.settled();
    const store = house.store.addresses.client(FeatureStoreClient, 'feature-store');
    const request = { model, specRevision: 1, knowledgeCutoff: ever, excluded: [], specJson: '' };
    const { uri } = await call(store, 'buildTrainingSet', request, { deadlineMs: 600_000 }).finally(() =>
      store.close(),
    );
    copyFileSync(await house.store.objects.getFile(uri), `${path}.new`);
    renameSync(`${path}.new`, path);
  } finally {
    telling.close();
    reporter.close();
    await house.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const noParts: Parts = { ask: async () => undefined, keep: () => {} };

/** Parts kept as files. */
export function folderParts(folder: string): Parts {
  return {
    async ask(part) {
      const path = join(folder, part);
      return existsSync(path) ? new Uint8Array(readFileSync(path)) : undefined;
    },
    keep(part, bytes) {
      const path = join(folder, part);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(`${path}.new`, bytes);
      renameSync(`${path}.new`, path);
    },
  };
}

/** A name for a set of labels, so that models trained on it are not taken for others. */
export const labelsName = (labels: Uint8Array): string =>
  createHash('sha256').update(labels).digest('hex').slice(0, 12);
