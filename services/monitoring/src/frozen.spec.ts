/** Cycles under a frozen champion: deadlines that stand still, harm that does not wait. */
import { events, RolloutFailed, RolloutFollowed, Stage } from '@driftloop/contracts';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { day, hour, specText, start } from './testing/world.js';

let world: LoopWorld;
beforeEach(async () => {
  const deadlines = { training: '2d', canary: '6d' };
  const retraining = { minFreshLabels: 100, cooldown: '8d', deadlines };
  const rollout = { canary: { percent: 10, duration: '1d', minPredictions: 10 } };
  world = await openLoop({ spec: specText({ retraining, rollout }) });
});
afterEach(() => world.close());

const versions = { champion: { version: 'v1' }, challenger: { version: 'v2' } };
const canary = (cycleId: string, held: boolean) => ({
  ...{ stage: Stage.CANARY, cycleId, rolloutId: `${cycleId}/v2`, canaryPercent: 10, ...versions },
  ...{ held, heldReason: held ? 'frozen by main: holidays' : '' },
});

/** A canary since `since`, frozen an hour later. */
async function frozenCanary() {
  const { cycleId, next } = await world.untilShadow(start);
  const since = next - 12 * hour;
  await world.trial(since, cycleId, Stage.CANARY);
  await world.tick(since + hour);
  await world.roll(since + hour, canary(cycleId, true));
  return { cycleId, since };
}

it('does not expire a trial that waits, and moves its deadline by as long as it was frozen', async () => {
  const { cycleId, since } = await frozenCanary();
  await world.pass(since + hour, since + 9 * day + hour, 12 * hour);
  expect(await world.closed()).toEqual([]);
  expect((await world.status()).frozen).toBe(true);
  const thawed = since + 9 * day + hour;
  await world.roll(thawed, canary(cycleId, false));
  await world.tick(thawed + hour);
  const [cycle] = await world.cycles();
  expect(cycle).toMatchObject({ stage: 'canary', deadline: new Date(since + 15 * day) });
  await world.pass(thawed + hour, since + 15 * day - hour, 12 * hour);
  expect(await world.closed()).toEqual([]);
  await world.tick(since + 15 * day);
  await world.tick(since + 15 * day + hour);
  expect(await world.closed()).toMatchObject([{ outcome: 'expired' }]);
});

it('ends a canary that turns harmful while its promotion waits for a thaw', async () => {
  const { since } = await frozenCanary();
  const cohort = since + 12 * hour;
  const good = { shadows: { v2: ({ p }: { p: number }) => p } };
  await world.live(cohort, { ...good, count: 40, canary: true, version: 'v2' });
  await world.live(cohort + day, { ...good, count: 40 });
  expect((await world.judged()).map(({ verdict }) => verdict)).toEqual(['VERDICT_PROMOTE']);
  await world.live(cohort + 2 * day, { ...good, count: 200, canary: true, version: 'v2', error: 'LOAD_FAILED' });
  await world.live(cohort + 3 * day, good);
  expect((await world.judged()).map(({ verdict }) => verdict)).toEqual(['VERDICT_PROMOTE', 'VERDICT_ROLL_BACK']);
  const spans = (await world.cycles())[0].spans.filter(({ name }) => name === 'canary checked');
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(2);
});

it('ends a shadow that turns harmful while it waits for a thaw, and not one that goes on as it did', async () => {
  const as = (shift: number) => ({ shadows: { v2: ({ p }: { p: number }) => Math.min(0.99, p + shift) } });
  const { cycleId, next } = await world.untilShadow(start, as(0));
  let at = next;
  for (; !(await world.judged()).length; at += day) await world.live(at, as(0));
  const stage = { stage: Stage.SHADOW, cycleId, rolloutId: `${cycleId}/v2`, ...versions };
  await world.roll(at - 12 * hour, { ...stage, held: true, heldReason: 'frozen by main' });
  for (const until = at + 4 * day; at < until; at += day) await world.live(at, as(0));
  expect((await world.judged()).map(({ verdict }) => verdict)).toEqual(['VERDICT_ADVANCE']);
  for (const until = at + 14 * day; at < until; at += day) await world.live(at, as(0.6));
  const words = await world.judged();
  expect(words.map(({ verdict }) => verdict)).toEqual(['VERDICT_ADVANCE', 'VERDICT_ROLL_BACK']);
  expect(words[1].decision!.reasons.join()).toMatch(/harm|worse/);
});

it('lets a training that never ends expire all the same', async () => {
  const { request } = await world.untilOpened(start);
  const opened = request.knowledgeCutoff!.getTime();
  await world.roll(opened, { champion: { version: 'v1' }, held: true, heldReason: 'frozen by main' });
  await world.pass(opened, opened + 2 * day + 6 * hour);
  expect(await world.closed()).toMatchObject([{ outcome: 'expired' }]);
});

it('says in the status that it is frozen, by whom and why', async () => {
  await world.roll(start + hour, { champion: { version: 'v1' }, held: true, heldReason: 'frozen by main: holidays' });
  await world.tick(start + 2 * hour);
  expect(await world.status()).toMatchObject({ frozen: true, frozenNote: 'frozen by main: holidays' });
});

it('says who really answers: the versions that replicas follow, and those that cannot', async () => {
  const followed = { ...world.key, revision: 1, stage: Stage.ENDED, version: 'v1' };
  for (const replica of ['a', 'b'])
    await world.tell(events.rolloutFollowed, RolloutFollowed.fromPartial({ ...followed, replica }), start);
  await world.tick(start + hour);
  expect(await world.status()).toMatchObject({ answering: ['v1'], attention: [] });
  await world.roll(start + hour, { champion: { version: 'v3' } });
  const failure = { version: 'v3', code: 'MODEL_CORRUPT', reason: 'its sha256 is another', answering: 'v1' };
  const failed = RolloutFailed.fromPartial({ ...world.key, replica: 'b', revision: 2, ...failure });
  await world.tell(events.rolloutFailed, failed, start + hour);
  const now = { ...followed, revision: 2, version: 'v3', replica: 'a' };
  await world.tell(events.rolloutFollowed, RolloutFollowed.fromPartial(now), start + hour);
  await world.tick(start + 2 * hour);
  const status = await world.status();
  expect(status).toMatchObject({ champion: 'v3', answering: ['v3', 'v1'] });
  expect(status.attention.join()).toMatch(/replica b cannot serve v3 \(MODEL_CORRUPT.*it goes on answering with v1/);
  await world.tell(events.rolloutFollowed, RolloutFollowed.fromPartial({ ...now, replica: 'b' }), start + 2 * hour);
  expect((await world.status()).attention).toEqual([]);
});
