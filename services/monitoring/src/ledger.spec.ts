import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@driftloop/algorithms';
import { canonicalJson, Decision, events, Stage } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { type Answers, DocumentsOf, day, hour, parcelsOf, start } from './testing/world.js';

const told = [events.retrainingRequested, events.rolloutJudged, events.cycleClosed, events.driftDetected];

/** A cycle's life: trigger, shadow, a bad challenger rolled back, and days after; the same facts however they are told. */
async function story(world: LoopWorld, tell: Teller): Promise<void> {
  const days = 24;
  let cycleId = '';
  for (let i = 0; i < days; i++) {
    const cohort = start + i * day;
    const parcels = parcelsOf(cohort, 48);
    const shadows: Answers['shadows'] = i > 9 ? { v2: ({ p }) => 1 - p } : {};
    await tell.rows(world, [
      () => world.ask(parcels.slice(0, 30), { shadows }),
      () => world.ask(parcels.slice(30), { shadows }),
      () => world.label(parcels.slice(0, 20)),
      () => world.label(parcels.slice(20), 5 * hour),
      () => world.label(parcels.slice(0, 4), 6 * hour, 2, ({ y }) => (1 - y) as 0 | 1),
    ]);
    for (let now = cohort - 6 * hour; now <= cohort + 12 * hour; now += 6 * hour) await tell.tick(world, now);
    cycleId ||= (await world.requested())[0]?.cycleId ?? '';
    const now = cohort + 12 * hour;
    if (i === 9) {
      await tell.rows(world, [
        () => world.trained(now, cycleId),
        () => world.approve(now, cycleId, 'v2'),
        () => world.trial(now, cycleId, Stage.SHADOW),
      ]);
    }
    const [judged] = await world.judged();
    if (judged && !(await world.closed()).length) await world.rolledBack(now + hour, 'v2', cycleId);
  }
}

interface Teller {
  rows(world: LoopWorld, telling: (() => Promise<unknown>)[]): Promise<void>;
  tick(world: LoopWorld, now: number): Promise<void>;
}

const plainly: Teller = {
  rows: async (_world, telling) => {
    for (const tell of telling) await tell();
  },
  tick: (world, now) => world.tick(now),
};

async function outcome(world: LoopWorld) {
  const { entries, sha256 } = await world.ledger();
  const ids = await Promise.all(told.map((definition) => world.ids(definition)));
  return { sha256, entries: entries.length, ids };
}

describe('the ledger', () => {
  let world: LoopWorld;
  afterEach(() => world.close());

  const run = async (teller: Teller) => {
    world = await openLoop();
    await story(world, teller);
    const result = await outcome(world);
    return result;
  };

  it('holds every decision in order, causes before effects, each hash covering the one before', async () => {
    await run(plainly);
    const { entries, sha256 } = await world.ledger();
    expect(entries.map(({ service, decision }) => `${service} ${decision!.kind} ${decision!.outcome}`)).toEqual([
      'registry alias promoted',
      'monitoring signal performance',
      'monitoring cycle.opened retrain',
      ...['registry gate approved', 'registry stage shadow'],
      'monitoring judgement roll_back',
      ...['registry alias rolled_back', 'monitoring cycle.closed rolled_back'],
      'monitoring cycle.opened retrain',
      'monitoring cycle.closed expired',
    ]);
    let hash = '';
    for (const { position, service, cycleId, decision, sha256: own } of entries) {
      const content = canonicalJson({ position, service, cycleId, decision: Decision.toJSON(decision!) });
      hash = createHash('sha256')
        .update(hash + content)
        .digest('hex');
      expect(own).toBe(hash);
    }
    expect(sha256).toBe(hash);
  });

  it('is only ever added to, up to its watermark, and is read in pages', async () => {
    let read = 0;
    let before = { entries: [], sha256: '' } as Pick<Awaited<ReturnType<LoopWorld['ledger']>>, 'entries' | 'sha256'>;
    await run({
      ...plainly,
      tick: async (one, now) => {
        await one.tick(now);
        const ledger = await one.ledger();
        expect(ledger.entries.slice(0, before.entries.length)).toEqual(before.entries);
        for (const { decision } of ledger.entries)
          expect(decision!.eventTime!.getTime()).toBeLessThanOrEqual(ledger.watermark!.getTime());
        if (ledger.watermark) expect(ledger.watermark.getTime()).toBeLessThan(now);
        expect(ledger.sha256).toBe(ledger.entries.at(-1)?.sha256 ?? '');
        before = ledger;
        read++;
      },
    });
    expect(read).toBeGreaterThan(50);
    expect(before.entries.length).toBeGreaterThan(8);
    const page = (after: number, limit: number) =>
      call(world.client, 'readLedger', { model: 'parcels', after, limit }, { deadlineMs: 5000 });
    const [first, second, rest] = [await page(0, 3), await page(3, 2), await page(5, 0)];
    expect([...first.entries, ...second.entries, ...rest.entries]).toEqual(before.entries);
    expect([first.total, first.sha256]).toEqual([before.entries.length, before.sha256]);
    expect((await page(999, 0)).entries).toEqual([]);
  });

  it('is the same when batches come in another order and twice, and every tick twice', async () => {
    const expected = await run(plainly);
    await world.close();
    const random = new Random(3);
    const doubled = await run({
      rows: async (_world, telling) => {
        for (const tell of random.shuffle([...telling, ...telling])) await tell();
      },
      tick: async (one, now) => {
        await one.tick(now);
        await one.tick(now);
      },
    });
    expect(doubled.sha256).toBe(expected.sha256);
    expect(doubled.ids).toEqual(expected.ids);
  });

  it('is the same when ticks die half way and are handled again', async () => {
    const expected = await run(plainly);
    await world.close();
    const died = await run({
      ...plainly,
      tick: async (one, now) => {
        const loop = one.service.app.get(DocumentsOf.loop);
        const before = await loop.watch('main/parcels');
        const unsettled = (await loop.unsettledFacts()).map((fact) => fact._id);
        await one.tick(now);
        // what a tick writes last is as it was before it
        await loop.facts.updateMany({ _id: { $in: unsettled } }, { $set: { settled: false } });
        if (before) await loop.keepWatch(before);
        else await loop.watches.deleteMany({ _id: 'main/parcels' });
        await one.tick(now);
      },
    });
    expect(died).toEqual(expected);
  });
});

describe('the ledger over restarts', () => {
  const home = mkdtempSync(join(tmpdir(), 'driftloop-monitoring-'));
  const open: LoopWorld[] = [];
  afterEach(async () => {
    for (const world of open) await world.close();
    rmSync(home, { recursive: true, force: true });
  });

  it('is the same when the process stops between ticks', async () => {
    open.push(await openLoop());
    await story(open[0], plainly);
    const expected = await outcome(open[0]);
    await open.pop()!.close();

    open.push(await openLoop({ home }));
    const present = new Proxy({} as LoopWorld, { get: (_target, name) => open[0][name as keyof LoopWorld] });
    let ticks = 0;
    const restarting = async (world: LoopWorld, now: number) => {
      await world.tick(now);
      if (++ticks % 10) return;
      const before = open.pop()!;
      await before.close();
      open.push(await openLoop({ home, resume: before.revision() }));
    };
    await story(present, { ...plainly, tick: restarting });
    expect(await outcome(present)).toEqual(expected);
  });
});
