import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServedVersion, Stage } from '@driftloop/contracts';
import { status } from '@grpc/grpc-js';
import { RegistryStandIn } from './testing/stand-ins.js';
import {
  allInputs,
  day,
  flights,
  graphOf,
  graphOfExternalData,
  parameter,
  rolloutOf,
  sha256,
  World,
} from './testing/world.js';

const answer = async (world: World, eventTime?: Date) => {
  const parameters: Record<string, ReturnType<typeof parameter>> = {};
  if (eventTime) parameters.event_time = parameter(eventTime.toISOString());
  const reply = await world.infer({ inputs: allInputs(), parameters }, { asReplay: eventTime !== undefined });
  return reply.modelVersion;
};

/** Just after a rollout of that day took effect. */
const after = (n: number) => new Date(day(n).getTime() + 1);

describe('following the registry', () => {
  let world: World;
  let v0: ServedVersion;
  beforeEach(async () => {
    world = await World.open();
    v0 = await world.serve(0.2);
  });
  afterEach(() => world.close());

  it('waits for the model where its rollout is heard first', async () => {
    const late = await World.open();
    const champion = await late.version('v0', graphOf(0.3));
    await late.rollOut(1, { champion });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(late.service.ready()).toBe(false);
    await late.declare();
    await late.settled();
    expect(await answer(late)).toBe('v0');
    expect(late.service.ready()).toBe(true);
    await late.close();
  });

  it("answers a question of a tick's own time as before the tick, also when it is asked again after it", async () => {
    const v1 = await world.version('v1', graphOf(0.3));
    const tick = day(5);
    const before = await answer(world, tick);
    await world.rollOut(2, { champion: v1, effective: tick });
    await world.settled();
    expect([before, await answer(world, tick), await answer(world, after(5))]).toEqual(['v0', 'v0', 'v1']);
  });

  it('lets the highest revision win, whatever the order', async () => {
    const v1 = await world.version('v1', graphOf(0.3));
    const v2 = await world.version('v2', graphOf(0.4));
    await world.rollOut(3, { champion: v2 });
    await world.rollOut(2, { champion: v1 });
    await world.rollOut(3, { champion: v2 });
    await world.settled();
    expect(await answer(world)).toBe('v2');
  });

  it('swaps champions under load without one failed request', async () => {
    const versions = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((n) => world.version(`v${n}`, graphOf(n / 10))));
    let going = true;
    const seen = new Map<string, number>();
    const ask = async () => {
      while (going) {
        const reply = await world.infer({ inputs: allInputs() });
        const [probability] = reply.outputs[0].contents!.fp64Contents;
        expect(probability).toBeCloseTo(reply.modelVersion === 'v0' ? 0.2 : Number(reply.modelVersion.slice(1)) / 10);
        seen.set(reply.modelVersion, (seen.get(reply.modelVersion) ?? 0) + 1);
      }
    };
    const answered = async (version: string) => {
      while (!seen.has(version)) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const asking = Array.from({ length: 16 }, ask);
    await answered('v0');
    for (const [i, champion] of versions.entries()) {
      await world.rollOut(2 + i, { champion, frozen: versions[0] });
      // The first half one by one, the second as fast as they come.
      if (i < 4) await answered(champion.version);
    }
    await answered('v8');
    going = false;
    await Promise.all(asking);
    for (const version of ['v0', 'v1', 'v2', 'v3', 'v4', 'v8']) expect([...seen.keys()]).toContain(version);
  });

  it.each<[string, (world: World) => Promise<ServedVersion>, RegExp]>([
    [
      'whose bytes changed',
      async (w) => w.version('v1', Buffer.from('other bytes'), sha256(graphOf(0.3))),
      /version v1 cannot be loaded: its bytes have SHA-256 .* they were changed.*Restore its bytes in the object store/,
    ],
    [
      'that is cut off',
      async (w) => {
        const version = await w.version('v1', graphOf(0.3));
        truncateSync(await w.service.ground.objects.getFile(version.artifact!.uri), 500);
        return version;
      },
      /they were changed/,
    ],
    ['that is no ONNX graph', async (w) => w.version('v1', Buffer.from('not a graph')), /not an ONNX graph/],
    ['with data outside', async (w) => w.version('v1', graphOfExternalData()), /lies outside the graph/],
    [
      'of other columns',
      async (w) => {
        const fewer = structuredClone(flights);
        fewer.spec.features.pop();
        return w.version('v1', graphOf(0.3, fewer));
      },
      /export it for this spec/,
    ],
    [
      'that is not there',
      async (w) => {
        const version = await w.version('v1', graphOf(0.3));
        await w.service.ground.objects.delete(version.artifact!.uri);
        return version;
      },
      /there is no object/,
    ],
  ])('tells of a graph %s once, and the last good version goes on answering', async (_what, spoiled, reason) => {
    const challenger = await spoiled(world);
    const rollout = { champion: v0, challenger, stage: Stage.SHADOW, cycleId: 'c1' };
    await world.rollOut(2, rollout);
    await world.settled();
    await world.rollOut(2, rollout);
    await world.settled();
    expect(world.failures).toHaveLength(1);
    expect(world.failures[0]).toMatchObject({ tenant: 'main', model: 'flights', version: 'v1', cycleId: 'c1' });
    expect(world.failures[0]).toMatchObject({ rolloutId: 'r2', replica: 'embedded', code: 'MODEL_CORRUPT' });
    expect(world.failures[0].reason).toMatch(reason);
    expect(await answer(world)).toBe('v0');
    expect(world.service.ready()).toBe(true);
    const v2 = await world.version('v2', graphOf(0.4));
    await world.rollOut(3, { champion: v2 });
    await world.settled();
    expect(await answer(world)).toBe('v2');
  });

  it('dead-letters a rollout without a champion or its artifact, and goes on', async () => {
    await world.rollOut(2, {});
    await world.rollOut(2, { champion: v0, challenger: { version: 'v1', artifact: undefined, specRevision: 1 } });
    await world.settled();
    const dead = await world.service.ground.bus.dead('serving.when-rollout-changed.embedded');
    expect(dead.map(({ error }) => error.code)).toEqual(['ROLLOUT_INVALID', 'ROLLOUT_INVALID']);
    expect(await answer(world)).toBe('v0');
  });

  it('answers a question of the past by the version that held then', async () => {
    for (const n of [1, 2, 3, 4]) {
      const champion = await world.version(`v${n}`, graphOf(n / 10));
      await world.rollOut(n + 1, { champion });
    }
    await world.settled();
    const at = (hour: number) => answer(world, new Date(day(3).getTime() + hour * 3_600_000));
    expect(await Promise.all([-100, -25, -1, 0, 23, 24, 999].map(at))).toEqual([
      'v0',
      'v0',
      'v1',
      'v1',
      'v2',
      'v2',
      'v4',
    ]);
    expect(await answer(world)).toBe('v4');
  });
});

describe('a replica that starts', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'driftloop-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const lived = async (last = 4) => {
    const world = await World.open({ home });
    await world.serve(0.2);
    for (let n = 1; n < last; n++)
      await world.rollOut(n + 1, { champion: await world.version(`v${n}`, graphOf(n / 10)) });
    await world.settled();
    await world.close();
  };

  it('answers from its own memory with the registry away, the past as well', async () => {
    await lived();
    const world = await World.open({ home });
    expect(world.service.ready()).toBe(true);
    expect(await answer(world)).toBe('v3');
    expect(await answer(world, after(2))).toBe('v1');
    await world.close();
  });

  it('answers by the last good version where the newest was spoiled meanwhile, and says so once', async () => {
    await lived();
    const folder = join(home, 'objects');
    const file = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('v3.onnx'))!;
    writeFileSync(join(folder, file), 'spoiled');
    for (const restarted of [1, 2]) {
      const world = await World.open({ home });
      expect(await answer(world)).toBe('v2');
      await world.settled();
      expect(world.failures.map(({ version }) => version)).toEqual(restarted === 1 ? ['v3'] : []);
      await world.close();
    }
  });

  it('is ready without a model, and not ready with one that has no version', async () => {
    const world = await World.open({ home });
    expect(world.service.ready()).toBe(true);
    await world.declare();
    await world.settled();
    await world.close();
    const again = await World.open({ home });
    expect(again.service.ready()).toBe(false);
    expect(await again.refused({ inputs: allInputs() })).toMatchObject({ code: 'NOT_READY', retriable: true });
    await again.close();
  });
});

describe('a replica that comes late', () => {
  let registry: RegistryStandIn;
  let world: World;
  beforeEach(async () => {
    registry = await RegistryStandIn.open();
    world = await World.open({ environment: { DRIFTLOOP_REGISTRY_ADDRESS: registry.address } });
    const versions = await Promise.all([0, 1, 2].map((n) => world.version(`v${n}`, graphOf((n + 1) / 10))));
    registry.rollouts = [3, 2, 1].map((n) => rolloutOf(n, { champion: versions[n - 1] }));
  });
  afterEach(async () => {
    await world.close();
    registry.close();
  });

  it('hears the newest rollout only, and has the registry tell what held before', async () => {
    await world.declare();
    await world.rollOut(3, registry.rollouts[0]);
    await world.settled();
    expect(registry.asked).toBe(1);
    expect(await answer(world)).toBe('v2');
    expect(await answer(world, after(2))).toBe('v1');
    expect(await answer(world, day(1))).toBe('v0');
  });

  it('passes over an earlier rollout that cannot be loaded, as it was then', async () => {
    await world.version('v1', Buffer.from('spoiled'));
    await world.declare();
    await world.rollOut(3, registry.rollouts[0]);
    await world.settled();
    expect(await answer(world, day(2))).toBe('v0');
    expect(await answer(world)).toBe('v2');
  });

  it('refuses a question of a past that only the registry knows, retriably, while that is away', async () => {
    const known = registry.rollouts;
    registry.close();
    await world.declare();
    await world.rollOut(3, known[0]);
    await world.settled();
    expect(await answer(world)).toBe('v2');
    const parameters = { event_time: parameter(day(2).toISOString()) };
    const refusal = await world.refused({ inputs: allInputs(), parameters }, { asReplay: true });
    expect(refusal).toMatchObject({ status: status.UNAVAILABLE, code: 'HISTORY_AWAY', retriable: true });
  });

  it('says from when on it remembers, where the registry has forgotten too', async () => {
    registry.rollouts.splice(1);
    await world.declare();
    await world.rollOut(3, registry.rollouts[0]);
    await world.settled();
    const parameters = { event_time: parameter(day(2).toISOString()) };
    const refusal = await world.refused({ inputs: allInputs(), parameters }, { asReplay: true });
    expect(refusal).toMatchObject({ code: 'HISTORY_FORGOTTEN', retriable: false });
    expect(refusal.message).toMatch(/ask about 2013-02-03T00:00:00.000Z or later/);
  });
});
