import { events, RolloutFailed, Stage } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { day, hour, start } from './testing/world.js';

describe('a training that ends after its due time', () => {
  /** A day and a half after it was due, within the training's own deadline of two days. */
  async function late(live: boolean) {
    const world = await openLoop({ live });
    const { request, next } = await world.untilOpened(start);
    const due = request.due!.getTime();
    await world.pass(next - 12 * hour, due + 36 * hour);
    await world.trained(due, request.cycleId);
    await world.pass(due + 36 * hour, due + 48 * hour);
    return { world, due, cycle: (await world.cycles()).at(-1)! };
  }

  it('has the gate’s whole time before it in a live house', async () => {
    const { world, due, cycle } = await late(true);
    expect(cycle).toMatchObject({ stage: 'gate', outcome: '' });
    await world.pass(due + 48 * hour, due + 96 * hour);
    expect((await world.cycles()).at(-1)).toMatchObject({ outcome: 'expired' });
    await world.close();
  });

  it('is counted from its due time in a replay, where none comes late', async () => {
    const { world, cycle } = await late(false);
    expect(cycle).toMatchObject({ outcome: 'expired' });
    await world.close();
  });
});

describe('a cycle', () => {
  let world: LoopWorld;
  beforeEach(async () => {
    world = await openLoop();
  });
  afterEach(() => world.close());

  const shadowed = { shadows: { v2: ({ p }: { p: number }) => p } };

  it('walks from training to promotion and closes with the outcome, at the time of that fact', async () => {
    const { cycleId, next } = await world.untilShadow(start);
    let at = next;
    for (; !(await world.judged()).length; at += day) await world.live(at, shadowed);
    const [word] = await world.judged();
    expect(word).toMatchObject({ cycleId, version: 'v2', stage: Stage.SHADOW, verdict: 'VERDICT_ADVANCE' });
    await world.trial(at - 12 * hour, cycleId, Stage.CANARY);
    const canary = { ...shadowed, count: 30 };
    await world.live(at, canary);
    await world.live(at + day, canary);
    // nobody was in the canary's arm yet
    expect(await world.judged()).toHaveLength(1);
    await world.live(at + 2 * day, { ...shadowed, count: 40, canary: true, version: 'v2' });
    expect((await world.judged())[1]).toMatchObject({ stage: Stage.CANARY, verdict: 'VERDICT_PROMOTE' });
    const promoted = at + 2 * day + 12 * hour;
    await world.promote(promoted, 'v2', { cutoff: promoted - 12 * day, trained: 400, cycleId });
    await world.roll(promoted, { champion: { version: 'v2' } });
    await world.tick(promoted + hour);
    expect(await world.closed()).toMatchObject([{ cycleId, outcome: 'promoted', closed: new Date(promoted) }]);
    const [cycle] = await world.cycles();
    expect(cycle).toMatchObject({ stage: 'closed', outcome: 'promoted', version: 'v2' });
    expect(cycle.steps.map(({ service, what }) => `${service}: ${what}`)).toEqual([
      'monitoring: opened by growth',
      'training: trained on 500 rows',
      'registry: the gate approves v2',
      'registry: v2 in shadow',
      expect.stringMatching(/^monitoring: advance: not worse by the margin over \d+ days$/),
      'registry: v2 in canary of 10%',
      expect.stringMatching(/^monitoring: promote: healthy over \d+ canary requests$/),
      'registry: v2 is champion',
      'monitoring: closed: promoted',
    ]);
    expect((await world.status()).champion).toBe('v2');
  });

  it('fails when its training fails, with the reason', async () => {
    const { request, next } = await world.untilOpened(start);
    const { cycleId } = request;
    const failed = {
      ...world.key,
      cycleId,
      jobId: 'j',
      eventTime: new Date(next),
      code: 'QUARANTINED',
      reason: 'x',
      spans: [],
    };
    await world.tick(next);
    await world.tell(events.trainingFailed, failed, next);
    await world.tick(next + hour);
    expect(await world.closed()).toMatchObject([{ cycleId, outcome: 'failed', closed: new Date(next) }]);
    expect((await world.cycles())[0].reasons).toEqual(['QUARANTINED: x']);
  });

  it('is moved by what had happened by the tick before, whenever it was heard', async () => {
    const { request } = await world.untilOpened(start);
    const opened = request.knowledgeCutoff!.getTime();
    await world.tick(opened + 5 * hour);
    // due between two ticks: told at the second, perhaps before monitoring's own handler of it
    await world.trained(opened + 6 * hour, request.cycleId);
    await world.tick(opened + 7 * hour);
    expect((await world.cycles())[0].stage).toBe('training');
    await world.tick(opened + 8 * hour);
    expect((await world.cycles())[0]).toMatchObject({ stage: 'gate', deadline: new Date(opened + day + 6 * hour) });
  });

  it('is refused when the gate refuses, superseded when the registry says so', async () => {
    const { request, next } = await world.untilOpened(start);
    await world.trained(next - 6 * hour, request.cycleId);
    await world.tick(next);
    await world.rolledBack(next, 'v2', request.cycleId, 'superseded');
    await world.tick(next + hour);
    expect(await world.closed()).toMatchObject([{ outcome: 'superseded' }]);
  });

  it('expires at the deadline of its stage', async () => {
    const { request } = await world.untilOpened(start);
    const opened = request.knowledgeCutoff!.getTime();
    await world.pass(opened, opened + 2 * day - 6 * hour);
    expect(await world.closed()).toEqual([]);
    await world.tick(opened + 2 * day);
    expect(await world.closed()).toMatchObject([{ outcome: 'expired', closed: new Date(opened + 2 * day) }]);
    expect(await world.judged()).toEqual([]);
  });

  it('withdraws what is on trial when it expires', async () => {
    const { cycleId, next } = await world.untilShadow(start);
    await world.trial(next - 12 * hour, cycleId, Stage.CANARY);
    await world.pass(next - 12 * hour, next + 6 * day);
    const words = await world.judged();
    expect(words).toMatchObject([{ stage: Stage.CANARY, verdict: 'VERDICT_ROLL_BACK', cycleId }]);
    expect(await world.closed()).toMatchObject([{ outcome: 'expired' }]);
  });

  it('withdraws a trial that begins after the cycle is over', async () => {
    const { request } = await world.untilOpened(start);
    const { cycleId } = request;
    const late = request.knowledgeCutoff!.getTime() + 3 * day;
    await world.tick(late);
    await world.tick(late + hour);
    await world.trial(late + hour, cycleId, Stage.SHADOW);
    await world.tick(late + 2 * hour);
    await world.tick(late + 3 * hour);
    expect(await world.judged()).toMatchObject([{ cycleId, stage: Stage.SHADOW, verdict: 'VERDICT_ROLL_BACK' }]);
    expect(await world.closed()).toHaveLength(1);
  });

  it('rolls back when a replica cannot serve the challenger', async () => {
    const { cycleId, next } = await world.untilShadow(start);
    const failed = { ...world.key, cycleId, rolloutId: `${cycleId}/v2`, version: 'v2', replica: 'r1' };
    await world.tick(next);
    await world.tell(
      events.rolloutFailed,
      RolloutFailed.fromPartial({ ...failed, code: 'MODEL_CORRUPT', reason: 'sha256' }),
      next,
    );
    await world.tick(next + hour);
    expect(await world.judged()).toMatchObject([{ verdict: 'VERDICT_ROLL_BACK', rolloutId: `${cycleId}/v2` }]);
  });

  it('is found by a unique beginning of its id', async () => {
    const { request } = await world.untilOpened(start);
    const get = (cycleId: string) => call(world.client, 'getCycle', { cycleId }, { deadlineMs: 5000 });
    expect(await get(request.cycleId.slice(0, 8))).toMatchObject({ cycleId: request.cycleId });
    await expect(get('ffffffffffff')).rejects.toMatchObject({ code: 'UNKNOWN_CYCLE' });
    await expect(get('zz')).rejects.toMatchObject({ code: 'CYCLE_PREFIX_TOO_SHORT' });
  });
});
