/** A replica that remembers a model which cannot be opened: that one is set aside aloud, every other one answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allInputs, World } from './testing/world.js';

const home = mkdtempSync(join(tmpdir(), 'driftloop-serving-spec-'));
const lines: string[] = [];
let world: World;
beforeAll(async () => {
  world = await World.open({ home });
  await world.serve(0.25);
  // As an earlier release has kept it.
  const { connection } = world.service.ground;
  const bricked = { tenant: 'main', model: 'bricked', replica: 'embedded', specRevision: 1, rollouts: [] };
  await connection
    .model('ServedModel')
    .create({ _id: 'main/bricked@embedded', ...bricked, specJson: '{"spec":"of no release"}' });
  await world.close();
  const environment = { DRIFTLOOP_LOG_LEVEL: 'error' };
  world = await World.open({ home, environment, logLines: { write: (line) => lines.push(line) } });
});
afterAll(async () => {
  await world.close();
  rmSync(home, { recursive: true, force: true });
});

it('starts ready, answers for the others, and refuses for the model that is set aside', async () => {
  expect((await world.infer({ inputs: allInputs() })).modelVersion).toBe('v0');
  expect(world.service.reasons()).toEqual([]);
  const refusal = await world.refused({ modelName: 'bricked', inputs: allInputs() });
  expect(refusal).toMatchObject({ code: 'MODEL_SET_ASIDE', message: expect.stringContaining('SPEC_INVALID') });
  const errors = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 50);
  expect(errors).toMatchObject([{ model: 'main/bricked', work: 'opening', failures: 1 }]);
});
