/** What the small world knows by the names of fields: models, versions, entities, cycles, jobs. The same in every run of it. */

import type { Random } from '@driftloop/algorithms';
import { Control, Operations, Quarantine } from '@driftloop/client';
import type { Words } from './generate.js';
import { changedSpec } from './specs.js';
import type { Described } from './system.js';
import { bystander, recent, target } from './world.js';

/** What is asked of a system once, before it is fuzzed; plain data, for a thread. */
export type Known = Readonly<Record<string, readonly string[]>>;

/** Asks a system in quiet. */
export async function known({ url, replayToken }: Described): Promise<Known> {
  const control = new Control(url, replayToken);
  const of = [bystander, target];
  const cycles = (await Promise.all(of.map((model) => control.cycles(model)))).flat();
  const jobs = (await Promise.all(of.map((model) => control.jobs(model)))).flat();
  const versions = (await Promise.all(of.map((model) => control.versions(model)))).flat();
  const services = await new Operations(control).services();
  const { items } = await new Quarantine(control).list(target);
  return {
    cycle_id: cycles.map(({ cycleId }) => cycleId),
    job_id: jobs.map(({ jobId }) => jobId),
    version: [...versions.map(({ version }) => version), 'champion', 'challenger', 'frozen', ''],
    group: services.flatMap(({ groups }) => groups.map(({ name }) => name)),
    id: [
      ...items.map(({ id }) => id),
      `labeling/${target}.late/x`,
      `feature-store/${target}/x`,
      `monitoring/${target}/x`,
    ],
  };
}

const fixed = {
  name: ['depot', 'weight', 'due_at', 'probability'],
  source: ['orders', 'handed', 'traffic', 'doors'],
  state: ['held', 'released', 'upheld', ''],
  datatype: ['FP64', 'FP32', 'INT64', 'BYTES', 'BOOL'],
  format: ['csv', 'csv.gz', 'parquet'],
  key: ['entity_id', 'event_time', 'depot', 'weight', 'due_at', 'delay', 'jam'],
  string_param: ['P8-7', '2024-01-10T06:00:00Z', '9999-12-31T00:00:00Z', 'P9-3'],
  text: ['d0', 'd1', 'd4'],
  service: ['', 'driftloop.v1.Registry', 'inference.GRPCInferenceService'],
};

const keptWords = new Map<string, Words>();

/** The words of an input whose model is the given one, out of what one system was asked. */
export function wordsFor(model: string, asked: Known): Words {
  const words = keptWords.get(model) ?? makeWords(model, asked);
  keptWords.set(model, words);
  return words;
}

function makeWords(model: string, asked: Known): Words {
  const { spec } = spoken();
  const changed = (random: Random) => (random.integer(20) ? changedSpec(spec, random).text : spec);
  const entities = Array.from({ length: 20 }, (_, i) => `P${5 + (i % 5)}-${i * 5}`);
  return {
    ...fixed,
    ...asked,
    ...{ model: [model], model_name: [model], name: [model, ...fixed.name], label: [`${model}.late`] },
    ...{ entity_id: entities, version: asked.version ?? [], model_version: asked.version ?? [] },
    expected_champion: ['', 'v0', 'v1'],
    spec: changed,
    spec_json: changed,
  };
}

let kept: ReturnType<typeof recent> | undefined;
/** Opened once a thread. */
export function spoken(): ReturnType<typeof recent> {
  kept ??= recent();
  return kept;
}
