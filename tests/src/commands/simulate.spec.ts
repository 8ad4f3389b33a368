/**
 * What is simulated is what the loop does: a world is played against a running house, and its recorded history is replayed by the simulation,
 * by hand from the same first training, and through the gateway's door and the command line.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { byPolicy, runLoop, type SimulatedRun } from '@driftloop/algorithms';
import { simulate } from '@driftloop/client';
import {
  BuildTrainingSetRequest,
  type Cycle,
  FeatureStoreClient,
  parseModelSpec,
  type SimulateReport,
} from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { bare } from '@driftloop/testing/environment';
import { embargoAt, historyOf, Models, readTrainingSet, rulesOf } from '@driftloop/training';
import { openPlayed, type Played } from '../walk/played.js';
import { HOUR, parcelsWorld } from '../worlds/parcels.js';

jest.setTimeout(480_000);

const world = {
  ...parcelsWorld({
    days: 27,
    driftAt: 12,
    spec: [
      ['minFreshLabels: 700', 'minFreshLabels: 360'],
      ['growth: { atLeast: 1 }', 'growth: { atLeast: 0.5 }'],
    ],
  }),
  step: HOUR,
};
const spec = parseModelSpec(world.spec);
let played: Played;
let cycles: Cycle[];

beforeAll(async () => {
  played = await openPlayed();
  await played.play(world);
  cycles = await played.control.cycles(world.model);
});
afterAll(() => played?.close());

/** The simulation of what was recorded, from the loop's own first training on, each model trained at its exact cutoff. */
async function simulatedFrom(start: number): Promise<SimulatedRun> {
  const store = played.house.store.addresses.client(FeatureStoreClient, 'feature-store');
  const request = BuildTrainingSetRequest.fromPartial({ model: world.model, knowledgeCutoff: new Date('2199-01-01') });
  const { uri } = await call(store, 'buildTrainingSet', request).finally(() => store.close());
  const table = await readTrainingSet(await played.house.store.objects.getFile(uri), spec);
  const history = historyOf(table, spec);
  const models = new Models(table, history, spec, start, { ask: async () => undefined, keep: () => {} });
  const trainings = {
    embargo: (knowledge: number, champion: number) => embargoAt(table, spec, knowledge, champion),
    model: (knowledge: number) => models.at(knowledge),
  };
  const rules = rulesOf(spec);
  return runLoop(history, rules, trainings, start, byPolicy(history, rules));
}

const step = ({ steps }: Cycle, what: RegExp) => steps.find((s) => what.test(s.what))?.eventTime?.getTime();

describe('a simulation of recorded history', () => {
  it('opens, judges and promotes as the loop did, cycle by cycle', async () => {
    const [bootstrap, ...retrained] = cycles;
    const run = await simulatedFrom(bootstrap.opened!.getTime());
    // The house has seen more days pass than there were questions.
    const end = Math.max(...world.happenings.map(({ at }) => at));
    const real = retrained.filter(({ closed }) => closed && closed.getTime() < end - 48 * HOUR);
    expect(real.filter(({ outcome }) => outcome === 'promoted').length).toBeGreaterThanOrEqual(1);
    expect(run.cycles.slice(0, real.length)).toMatchObject(
      real.map((cycle) => ({
        signal: cycle.signal,
        opened: cycle.opened!.getTime(),
        outcome: cycle.outcome,
        shadowAt: step(cycle, / in shadow/),
        canaryAt: step(cycle, /in canary/),
      })),
    );
    // A canary waits for so many questions, and which go to it is a hash's luck in the house, a mean here.
    for (const [i, cycle] of real.entries())
      expect(Math.abs(run.cycles[i].promotedAt! - step(cycle, /is champion/)!)).toBeLessThanOrEqual(3 * HOUR);
    expect(run.cycles.length - real.length).toBeLessThanOrEqual(1);
  });

  it('is a table through the gateway, with its progress', async () => {
    const told = new Set<string>();
    let report: SimulateReport | undefined;
    const headers = played.control.headers();
    for await (const { part } of simulate(played.house.url, headers, world.spec, { jitters: 2, seed: 1 }))
      if (part?.$case === 'progress') told.add(part.value.what);
      else report = part?.value;
    expect([...told].sort()).toEqual(['history', 'models', 'starts']);
    expect(report?.policies.map(({ name }) => name)).toEqual(['policy', 'calendar', 'random', 'frozen']);
    expect(await played.control.cycles(world.model)).toEqual(cycles);
  });

  it('is refused with a typed error before and behind the door', async () => {
    const refused = (text: string, jitters: number) =>
      simulate(played.house.url, played.control.headers(), text, { jitters }).next();
    await expect(refused('kind: Model', 2)).rejects.toMatchObject({ code: 'SPEC_INVALID' });
    await expect(refused(world.spec, 1)).rejects.toMatchObject({ code: 'JITTERS_INVALID' });
    const stranger = world.spec.replace('name: parcels,', 'name: letters,');
    await expect(refused(stranger, 2)).rejects.toMatchObject({ code: 'SPEC_UNKNOWN' });
  });

  it('is printed by the command line', async () => {
    const file = join(played.home, 'spec.yaml');
    writeFileSync(file, world.spec);
    const cli = fileURLToPath(import.meta.resolve('@driftloop/program/main'));
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [cli, '--url', played.house.url, 'simulate', '-f', file, '--jitters', '2'],
      { env: { ...bare, DRIFTLOOP_TOKEN: played.house.replayToken } },
    );
    expect(stdout).toMatch(/trainings +promoted +refused +log loss/);
    expect(stdout).toMatch(/^policy +\d/m);
    expect(stdout).toMatch(/0 models trained, \d+ from the cache/);
    expect(stderr).toMatch(/2 of 2 starts/);
  });
});
