/** One model's fault: it is set aside loudly and tried again, and every other model goes on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events, ModelDeclared, Rollout, RolloutChanged, Stage } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { HoldDocuments } from './holds.documents.js';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { DocumentsOf, day, hour, specText, start } from './testing/world.js';

/** It is evaluated before `parcels`. */
const bricked = 'main/a-bricked';
const home = mkdtempSync(join(tmpdir(), 'driftloop-'));
const lines: string[] = [];
const open: LoopWorld[] = [];
const world = async (options: Parameters<typeof openLoop>[0] = {}) => {
  const opened = await openLoop({ home, logLines: { write: (line) => lines.push(line) }, faulty: true, ...options });
  open.push(opened);
  return opened;
};
afterEach(async () => {
  for (const opened of open.splice(0)) await opened.close();
  lines.splice(0);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const told = () => lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg.startsWith('a model is set aside'));
const statusOf = (opened: LoopWorld, model: string) =>
  call(opened.client, 'getStatus', { model }, { deadlineMs: 5000 });

/** Facts of a model as an earlier release has kept them. */
async function keep(opened: LoopWorld, specJson: string) {
  const { facts } = opened.service.app.get(DocumentsOf.loop);
  const key = { tenant: 'main', model: 'a-bricked' };
  const declared = ModelDeclared.fromPartial({ ...key, revision: 1, specJson });
  const rollout = Rollout.fromPartial({ revision: 1, stage: Stage.ENDED, champion: { version: 'v0' } });
  const payloads: [string, unknown][] = [
    ['model.declared', ModelDeclared.toJSON(declared)],
    ['rollout.changed', RolloutChanged.toJSON(RolloutChanged.fromPartial({ ...key, rollout }))],
  ];
  for (const [topic, payload] of payloads) {
    const fact = { series: bricked, topic, time: start, timeless: true, settled: true };
    await facts.create({ _id: topic, ...fact, payload: JSON.stringify(payload) });
  }
}

describe('a home with a model that cannot be opened', () => {
  it('starts, evaluates the others, and says what is set aside', async () => {
    const before = await world();
    await keep(before, '{"spec": "of no release"}');
    await before.close();
    open.pop();
    lines.splice(0);
    const again = await world({ resume: 1 });
    await again.live(start);
    await again.live(start + day);
    expect((await again.status()).days).toHaveLength(1);
    expect((await again.status()).attention).toEqual([]);
    await expect(statusOf(again, 'a-bricked')).rejects.toMatchObject({ code: 'MODEL_SET_ASIDE', retriable: false });
    // Eight ticks: the log is not flooded.
    expect(told().map(({ model, failures }) => [model, failures])).toEqual([1, 2, 4, 8].map((n) => [bricked, n]));
  });

  it('takes the model back where a spec is declared that mends it', async () => {
    const again = await world({ resume: 1 });
    const spec = JSON.parse(specText()) as { metadata: { name: string } };
    spec.metadata.name = 'a-bricked';
    const key = { tenant: 'main', model: 'a-bricked' };
    const declared = ModelDeclared.fromPartial({ ...key, revision: 2, specJson: JSON.stringify(spec) });
    await again.tell(events.modelDeclared, declared, start + 3 * day);
    await again.tick(start + 3 * day);
    expect(await statusOf(again, 'a-bricked')).toMatchObject({ champion: 'v0', attention: [] });
  });
});

describe('a model whose evaluation fails', () => {
  it('is tried again at each tick, needs attention meanwhile, and decides from the same records once it is mended', async () => {
    const own = await world({ home: mkdtempSync(join(home, 'own-')) });
    await own.live(start);
    const { holds } = own.service.app.get(HoldDocuments);
    const said = {
      series: 'main/parcels',
      number: 1,
      paused: true,
      by: 'main',
      time: start,
      said: new Date(),
      acted: null,
    };
    // What an earlier release took: an event that no bus carries.
    await holds.create({ _id: 'main/parcels/1', ...said, note: 'x'.repeat(1_100_000) });
    await own.live(start + day);
    expect((await own.status()).days).toHaveLength(0);
    expect((await own.status()).attention).toEqual([
      expect.stringMatching(/^set aside: its evaluation failed 4 times in a row \(OUTBOX_EVENT_TOO_LARGE/),
    ]);
    expect(told().map(({ failures }) => failures)).toEqual([1, 2, 4]);
    await holds.updateOne({ _id: 'main/parcels/1' }, { $set: { note: 'short' } });
    await own.tick(start + 2 * day + 12 * hour);
    expect(await own.status()).toMatchObject({ paused: true, attention: [] });
    expect((await own.status()).days).toHaveLength(2);
  });
});

it('takes no note that no event could carry', async () => {
  const own = await world({ home: mkdtempSync(join(home, 'note-')) });
  const pause = (length: number) =>
    call(own.client, 'pause', { model: 'parcels', paused: true, note: 'x'.repeat(length) }, { deadlineMs: 5000 });
  await expect(pause(2001)).rejects.toMatchObject({ code: 'TEXT_TOO_LONG', details: { field: 'note', limit: 2000 } });
  await expect(pause(1_100_000)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
  expect(await own.service.app.get(HoldDocuments).of('main/parcels')).toEqual([]);
});
