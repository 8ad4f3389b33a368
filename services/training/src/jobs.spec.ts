/** Leases, fences and claims, on the real embedded documents and a clock that is set by hand. */
import { DatabaseSync } from 'node:sqlite';
import { canonicalSpec, ModelTrained, RetrainingRequested } from '@driftloop/contracts';
import { openEmbedded } from '@driftloop/documents';
import { WallClock } from '@driftloop/service';
import { JobTimes } from './job-times.js';
import { Jobs, jobId, LeaseLost } from './jobs.js';
import { DAY, parcels, START } from './testing/training.js';
import { TrainingDocuments } from './training.documents.js';

class SetClock extends WallClock {
  time = 1_000_000;
  override now = () => this.time;
}

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function world() {
  const db = new DatabaseSync(':memory:');
  const connection = await openEmbedded(db, 'training', { onScan: 'throw' });
  open.push(db, connection);
  const documents = new TrainingDocuments(connection);
  const clock = new SetClock();
  const times = new JobTimes();
  const jobs = new Jobs(documents, clock, times);
  const { json: specJson, sha256: specSha256 } = canonicalSpec(parcels());
  for (const tenant of ['main', 'other'])
    await documents.specs.create({
      _id: `${tenant}/parcels/1`,
      tenant,
      model: 'parcels',
      revision: 1,
      specJson,
      specSha256,
    });
  return { documents, clock, times, jobs };
}

const request = (changes: Partial<RetrainingRequested> = {}) =>
  RetrainingRequested.fromPartial({
    tenant: 'main',
    model: 'parcels',
    cycleId: 'c1',
    champion: 'v0',
    knowledgeCutoff: new Date(START),
    due: new Date(START + DAY / 4),
    attempt: 1,
    ...changes,
  });

describe('a job', () => {
  it('is one for one request, under an id that follows from it', async () => {
    const { jobs, documents } = await world();
    await jobs.queue(request());
    await jobs.queue(request());
    await jobs.queue(request({ attempt: 2 }));
    expect(await documents.jobs.countDocuments()).toBe(2);
    expect(jobId(request())).toBe(jobId(request({ purpose: 'other' })));
    expect(jobId(request())).not.toBe(jobId(request({ attempt: 2 })));
  });

  it('waits, retriably, for a declaration that has not been heard', async () => {
    const { jobs } = await world();
    await expect(jobs.queue(request({ model: 'boxes' }))).rejects.toMatchObject({
      code: 'SPEC_NOT_HEARD',
      retriable: true,
    });
  });

  it('is claimed by one worker at a time', async () => {
    const { jobs } = await world();
    await jobs.queue(request());
    expect(await jobs.claim('one')).toMatchObject({ state: 'running', leaseOwner: 'one', fence: 1 });
    expect(await jobs.claim('two')).toBeNull();
  });

  it('is taken over when its lease ran out, with the checkpoint, and the first worker can write no more', async () => {
    const { jobs, clock, times, documents } = await world();
    await jobs.queue(request());
    const first = (await jobs.claim('one'))!;
    await jobs.checkpoint(first, { dataset: { uri: 'u', sha256: 's', rows: 7 } }, 'dataset');
    clock.time += times.leaseMs - 1;
    expect(await jobs.claim('two')).toBeNull();
    clock.time += 1;
    const second = (await jobs.claim('two'))!;
    expect(second).toMatchObject({ fence: 2, leaseOwner: 'two', checkpoint: { dataset: { rows: 7 } } });
    for (const late of [
      () => jobs.renew(first),
      () => jobs.checkpoint(first, { parameters: undefined }, 'late'),
      () => jobs.finish(first, ModelTrained.fromPartial({}), 1),
      () => jobs.fail(first, { code: 'X', reason: 'late' }),
      () => jobs.release(first),
    ])
      await expect(late()).rejects.toBeInstanceOf(LeaseLost);
    await jobs.finish(second, ModelTrained.fromPartial({ cycleId: 'c1' }), 2.5);
    expect(await documents.job(jobId(request()))).toMatchObject({
      state: 'finished',
      seconds: 2.5,
      progress: 'trained',
    });
  });

  it('stays its worker’s while the lease is renewed', async () => {
    const { jobs, clock, times } = await world();
    await jobs.queue(request());
    const job = (await jobs.claim('one'))!;
    for (let i = 0; i < 5; i++) {
      clock.time += times.leaseMs - 1;
      await jobs.renew(job);
      expect(await jobs.claim('two')).toBeNull();
    }
  });

  it('is tried again later, longer each time, and given up after the last try with the last reason', async () => {
    const { jobs, clock, documents } = await world();
    await jobs.queue(request());
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      const job = (await jobs.claim('one'))!;
      await jobs.retry(job, { code: 'CALL_UNAVAILABLE', reason: 'away' }, 4);
      const { notBefore } = (await documents.job(job._id))!;
      waits.push(notBefore - clock.time);
      clock.time = notBefore - 1;
      expect(await jobs.claim('one')).toBeNull();
      clock.time = notBefore;
    }
    expect(waits.slice(0, 3)).toEqual([500, 1000, 2000]);
    expect(await documents.job(jobId(request()))).toMatchObject({
      state: 'finished',
      failure: { code: 'CALL_UNAVAILABLE', reason: expect.stringContaining('4 attempts') },
    });
  });

  it('counts how often its worker vanished, and not how often it was given back', async () => {
    const { jobs, clock, times } = await world();
    await jobs.queue(request());
    await jobs.release((await jobs.claim('one'))!);
    expect((await jobs.claim('one'))!.losses).toBe(0);
    clock.time += times.leaseMs;
    expect((await jobs.claim('two'))!.losses).toBe(1);
    await jobs.endLeases();
    expect(await jobs.claim('three')).toMatchObject({ losses: 2, fence: 4 });
    // The same process again: it could not renew its lease.
    clock.time += times.leaseMs;
    expect((await jobs.claim('three'))!.losses).toBe(2);
  });

  it('given back by a stopping worker is free at once', async () => {
    const { jobs } = await world();
    await jobs.queue(request());
    await jobs.release((await jobs.claim('one'))!);
    expect(await jobs.claim('two')).toMatchObject({ leaseOwner: 'two', fence: 2, retries: 0 });
  });
});

describe('claims', () => {
  it('go to the tenant with the fewest running jobs, then by due time', async () => {
    const { jobs } = await world();
    await jobs.queue(request({ cycleId: 'late', due: new Date(START + 3 * DAY) }));
    await jobs.queue(request({ cycleId: 'soon', due: new Date(START + 1 * DAY) }));
    await jobs.queue(request({ cycleId: 'theirs', tenant: 'other', due: new Date(START + 2 * DAY) }));
    const order = [];
    for (let i = 0; i < 3; i++) order.push((await jobs.claim(`w${i}`))?.cycleId);
    expect(order).toEqual(['soon', 'theirs', 'late']);
  });
});
