/** A cycle in words: for every outcome the sentences that are true of it, with the figures that were decided upon. */
import { type CycleExplanation, events, RolloutFailed, Stage } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { day, hour, specText, start } from './testing/world.js';

const retraining = { minFreshLabels: 100, cooldown: '8d', any: [{ growth: { atLeast: 0.5 } }] };

let world: LoopWorld;
beforeEach(async () => {
  world = await openLoop({ spec: specText({ retraining }) });
});
afterEach(() => world.close());

const shadowed = { shadows: { v2: ({ p }: { p: number }) => p } };
const explain = async (cycleId?: string): Promise<CycleExplanation> => {
  const id = cycleId ?? (await world.cycles()).at(-1)!.cycleId;
  return call(world.client, 'explainCycle', { cycleId: id }, { deadlineMs: 5000 });
};
const told = (explanation: CycleExplanation, title: string): string =>
  explanation.passages.find((passage) => passage.title === title)?.sentences.join(' ') ?? '';
const titles = ({ passages }: CycleExplanation) => passages.map(({ title }) => title);

/** Into the gate: resolves to the cycle and the time of its training. */
async function trained() {
  const { request, next } = await world.untilOpened(start);
  const at = next - 6 * hour;
  await world.trained(at, request.cycleId);
  return { cycleId: request.cycleId, at, next };
}

describe('a cycle that was promoted', () => {
  it('is told from its signal to who answers now', async () => {
    const { cycleId, next } = await world.untilShadow(start);
    let at = next;
    for (; !(await world.judged()).length; at += day) await world.live(at, shadowed);
    await world.trial(at - 12 * hour, cycleId, Stage.CANARY);
    await world.live(at, { ...shadowed, count: 30 });
    await world.live(at + day, { ...shadowed, count: 40, canary: true, version: 'v2' });
    const promoted = at + day + 12 * hour;
    await world.promote(promoted, 'v2', { cutoff: promoted - 12 * day, trained: 400, cycleId });
    await world.roll(promoted, { champion: { version: 'v2' } });
    await world.tick(promoted + hour);
    const found = await explain(cycleId);
    expect(found).toMatchObject({ cycleId, model: 'parcels', outcome: 'promoted' });
    expect(found.summary).toBe(
      `Cycle 1 of parcels opened on 2013-01-09 because growth was 3.2, at or above 0.5, and closed on ${new Date(promoted).toISOString().slice(0, 10)}, promoted: v2 replaced v1.`,
    );
    expect(titles(found)).toEqual([
      ...['Why it opened', 'The training', 'The gate', 'In shadow', 'As canary', 'What came of it'],
    ]);
    expect(told(found, 'Why it opened')).toMatch(
      /^320 fresh labels had become known since v1 was trained, 3\.2 times as many as it was trained on; the policy asks for 0\.5\./,
    );
    expect(told(found, 'The training')).toContain('learned from all 500 rows that were known by');
    const [word, last] = await world.judged();
    const days = word.decision!.evidence[0].days;
    const shadow = told(found, 'In shadow');
    expect(shadow.match(/\d{4}-\d\d-\d\d: 40 rows, v2 as good a row/g)).toHaveLength(days);
    expect(shadow).toContain('the judge said to let it go on: not worse by the margin');
    expect(told(found, 'As canary')).toContain(`said to promote it: ${last.decision!.reasons[0]}`);
    const canary = told(found, 'As canary');
    expect(canary).toContain('Latencies were not compared: an arm has none.');
    expect(canary).not.toMatch(/95th percentile|Latency of/);
    expect(told(found, 'What came of it')).toContain('v2 became champion in place of v1.');
    expect(found.remedies.join()).toContain('driftloop rollback` puts v1 back');
  });
});

describe('a cycle that came to nothing', () => {
  it('was refused: the champion stays, and when the next attempt comes', async () => {
    const { cycleId, at } = await trained();
    await world.refuse(at, cycleId, 'v2');
    await world.tick(at + 6 * hour);
    await world.tick(at + 7 * hour);
    const found = await explain();
    expect(found.summary).toContain('refused by the gate');
    expect(told(found, 'The gate')).toBe("It refused: refused by the spec's registry.");
    expect(told(found, 'What came of it')).toBe('v2 never came before callers; v1 went on answering.');
    expect(found.remedies.join(' ')).toContain('once 100 fresh labels have come');
    expect(titles(found)).not.toContain('In shadow');
  });

  it('was rolled back: whose word it was, and how to promote all the same', async () => {
    const { cycleId, next } = await world.untilShadow(start);
    const failed = { ...world.key, cycleId, rolloutId: `${cycleId}/v2`, version: 'v2', replica: 'r1' };
    const why = { code: 'MODEL_CORRUPT', reason: 'another sha256' };
    await world.tell(events.rolloutFailed, RolloutFailed.fromPartial({ ...failed, ...why }), next);
    await world.tick(next + hour);
    await world.tick(next + 2 * hour);
    await world.rolledBack(next + 2 * hour, 'v2', cycleId);
    await world.tick(next + 3 * hour);
    await world.tick(next + 4 * hour);
    const found = await explain();
    expect(found.outcome).toBe('rolled_back');
    expect(told(found, 'In shadow')).toMatch(/said to withdraw it: replica r1 cannot serve v2: MODEL_CORRUPT/);
    expect(told(found, 'What came of it')).toContain('v2 was withdrawn; v1 went on answering.');
    expect(found.remedies.join(' ')).toContain('driftloop promote v2');
  });

  it('was superseded: somebody moved the champion', async () => {
    const { cycleId, at } = await trained();
    await world.rolledBack(at, 'v2', cycleId, 'superseded');
    await world.tick(at + 6 * hour);
    await world.tick(at + 7 * hour);
    const found = await explain();
    expect(found.outcome).toBe('superseded');
    expect(told(found, 'What came of it')).toContain('compared with the wrong one');
    expect(found.remedies[0]).toContain('v1 answers, and the next cycle is compared with it');
  });

  it('failed: with what the training said, and what to mend', async () => {
    const { request, next } = await world.untilOpened(start);
    const { cycleId } = request;
    const eventTime = new Date(next);
    const failed = { ...world.key, cycleId, jobId: 'j', eventTime, code: 'ONE_CLASS', reason: 'every label is 0' };
    await world.tick(next);
    await world.tell(events.trainingFailed, { ...failed, spans: [] }, next);
    await world.tick(next + hour);
    const found = await explain();
    expect(told(found, 'The training')).toBe('The training failed with ONE_CLASS: Every label is 0.');
    expect(told(found, 'What came of it')).toContain('There was no candidate; v1 went on answering.');
    expect(found.remedies[0]).toContain('driftloop apply');
    expect(titles(found)).not.toContain('The gate');
  });

  it('expired: in which stage, and where to look', async () => {
    const { request } = await world.untilOpened(start);
    const opened = request.knowledgeCutoff!.getTime();
    await world.pass(opened, opened + 2 * day + 6 * hour);
    const found = await explain();
    expect(found.outcome).toBe('expired');
    expect(told(found, 'The training')).toBe('It told of no result.');
    expect(told(found, 'What came of it')).toMatch(/no end in time; v1 went on answering\. Training was not over by/);
    expect(found.remedies[0]).toContain('driftloop services');
  });
});

describe('a cycle that is open', () => {
  it('trains: until when', async () => {
    const { request } = await world.untilOpened(start);
    const found = await explain();
    expect(found.summary).toMatch(/; it is open, in training\.$/);
    const due = request.due!.toISOString().slice(0, 16).replace('T', ' ');
    expect(told(found, 'The training')).toBe(`It runs; its result is due at ${due}, whatever the wall clock says.`);
    expect(told(found, 'What came of it')).toMatch(/^It is in training, and has until 2013-/);
  });

  it('is on trial: each day so far, what is lacking, and how a person ends it', async () => {
    const answers = { shadows: { v2: ({ p }: { p: number }) => Math.min(0.99, p + 0.02) } };
    const { next } = await world.untilShadow(start, answers);
    expect(told(await explain(), 'In shadow')).toContain('No word yet: no whole day of it has closed.');
    await world.live(next, answers);
    const found = await explain();
    expect(told(found, 'In shadow')).toMatch(/40 rows, v2 (better|worse) by 0\.\d+ a row\. No word yet: undecided/);
    expect(found.remedies[0]).toContain('driftloop promote v2 --expect v1');
  });

  it('waits while the champion is frozen, and says so', async () => {
    const { cycleId, next } = await world.untilShadow(start);
    const versions = { champion: { version: 'v1' }, challenger: { version: 'v2' } };
    const stage = { stage: Stage.SHADOW, cycleId, rolloutId: `${cycleId}/v2` };
    await world.roll(next, { ...stage, ...versions, held: true, heldReason: 'frozen by main' });
    await world.tick(next + hour);
    await world.tick(next + 5 * hour);
    const found = await explain();
    expect(told(found, 'What came of it')).toContain('It waits as long as the champion is frozen');
    expect(told(found, 'What came of it')).toContain('frozen for 5 hours of it');
    expect(found.remedies.at(-1)).toContain('driftloop thaw');
  });
});

it('cannot be told of a cycle that is not there', async () => {
  await expect(explain('ffffffff')).rejects.toMatchObject({ code: 'UNKNOWN_CYCLE' });
});
