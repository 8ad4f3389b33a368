/**
 * A clock that stands still for a month: while nothing happens, and while everything goes on. One tick then does what
 * thirty days of ticks would have: days close, deadlines pass, and the loop goes on, with a ledger in order.
 */
import { createHash } from 'node:crypto';
import { Predictor, Reporter } from '@driftloop/client';
import { type Cycle, canonicalJson, Decision, type Ledger } from '@driftloop/contracts';
import { Diary, type Happening, type World } from '@driftloop/flights';
import { openPlayed, type Played } from '../walk/played.js';
import { DAY, HOUR, parcelsWorld, START } from '../worlds/parcels.js';

const month = 30 * DAY;
const stops = START + 15 * DAY;
const options = {
  perDay: 120,
  history: 9,
  driftAt: 12,
  spec: [
    ['minFreshLabels: 700', 'minFreshLabels: 400'],
    ['atLeast: 1 }', 'atLeast: 0.35 }'],
  ],
} as const;

let played: Played;
beforeEach(async () => {
  played = await openPlayed();
}, 60_000);
afterEach(() => played?.close());

/** The world with everything that becomes known after the clock has stopped a month later. */
function later(world: World): World {
  const shift = (time: Date | undefined) => {
    const at = time!.getTime();
    return new Date(at > stops ? at + month : at);
  };
  const moved = (h: Happening): Happening => {
    if (h.at <= stops) return h;
    const at = h.at + month;
    if (h.kind === 'fact')
      return { ...h, at, fact: { ...h.fact, eventTime: shift(h.fact.eventTime), knownAt: new Date(at) } };
    if (h.kind === 'outcome')
      return { ...h, at, outcome: { ...h.outcome, entityTime: shift(h.outcome.entityTime), knownAt: new Date(at) } };
    const due = shift(h.question.inputs.due_at as Date);
    return {
      ...h,
      at,
      question: { ...h.question, eventTime: new Date(at), inputs: { ...h.question.inputs, due_at: due } },
    };
  };
  return { ...world, happenings: world.happenings.map(moved) };
}

/** What happens in (from, to], told and asked as ever, while nobody passes time. */
async function goOn({ model, label, sources, happenings }: World, from: number, to: number): Promise<void> {
  const { house } = played;
  const doors = { featureStore: house.address('feature-store'), labeling: house.address('labeling') };
  const reporter = new Reporter(doors, house.replayToken);
  const predictor = new Predictor(house.address('serving'), house.replayToken);
  const stream = reporter.facts();
  const due = happenings.filter(({ at }) => at > from && at <= to);
  const watermark = new Date(to);
  for (const source of sources) {
    const facts = due.flatMap((h) => (h.kind === 'fact' && h.source === source ? [h.fact] : []));
    await stream.send(model, source, facts, watermark);
  }
  const outcomes = due.flatMap((h) => (h.kind === 'outcome' ? [h.outcome] : []));
  await reporter.outcomes(label, outcomes, watermark);
  const questions = due.flatMap((h) => (h.kind === 'question' ? [h.question] : []));
  await Promise.all(questions.map((question) => predictor.predict(question, 60_000)));
  stream.close();
  predictor.close();
  reporter.close();
}

/** The replay takes up a month later, in one step. */
function wake(position: Diary, now: number): void {
  const { heard, seconds } = position.position()!;
  position.write([], [], { played: now, heard, seconds });
}

function expectInOrder({ entries, sha256 }: Ledger, cycles: readonly Cycle[]): void {
  let chain = '';
  for (const { position, service, cycleId, decision } of entries) {
    const content = canonicalJson({ position, service, cycleId, decision: Decision.toJSON(decision!) });
    chain = createHash('sha256')
      .update(chain + content)
      .digest('hex');
  }
  expect(sha256).toBe(chain);
  const times = entries.map(({ decision }) => decision!.eventTime!.getTime());
  expect(times).toEqual([...times].sort((a, b) => a - b));
  for (const cycle of cycles.slice(0, -1)) expect([cycle.cycleId, cycle.outcome]).not.toEqual([cycle.cycleId, '']);
  for (const cycle of cycles) expect(cycle.reasons.length > 0).toBe(cycle.outcome !== '');
}

const dead = (): unknown => played.house.store.db.prepare('SELECT count(*) AS n FROM bus_dead').get();

it('closes what is overdue and goes on, where nothing happened for a month', async () => {
  const world = later(parcelsWorld({ ...options, days: 24 }));
  await played.play(world, stops);
  const before = await played.control.cycles(world.model);
  expect(before.at(-1)).toMatchObject({ signal: 'growth', outcome: '' });
  // Nobody believes that nothing was known for a month from one word alone: it is promised week by week.
  for (let now = stops; now < stops + month; now += 5 * DAY)
    await goOn({ ...world, happenings: [] }, now, now + 5 * DAY);
  wake(played.diary(), stops + month);
  await played.play(world);
  const [cycles, ledger, status] = await Promise.all([
    played.control.cycles(world.model),
    played.control.ledger(world.model),
    played.control.status(world.model),
  ]);
  const open = cycles.find(({ cycleId }) => cycleId === before.at(-1)!.cycleId)!;
  expect(open.outcome).not.toBe('');
  expect(open.closed!.getTime()).toBeGreaterThan(stops);
  expectInOrder(ledger, cycles);
  expect(dead()).toEqual({ n: 0 });
  // The days of the pause are there, empty, and those after it count again.
  const since = (from: number) => status.days.filter(({ day }) => day!.getTime() > from);
  expect(since(stops + month).some(({ predictions }) => predictions === 120)).toBe(true);
  expect(since(stops + DAY).some(({ predictions }) => predictions === 0)).toBe(true);
}, 180_000);

it('catches up in one tick, where everything went on for a month and only the clock stood still', async () => {
  const world = parcelsWorld({ ...options, days: 50 });
  await played.play(world, stops);
  const before = await played.control.cycles(world.model);
  for (let now = stops; now < stops + month; now += DAY) await goOn(world, now, now + DAY);
  wake(played.diary(), stops + month);
  await played.play(world, stops + month + 3 * DAY);
  const [cycles, ledger, status] = await Promise.all([
    played.control.cycles(world.model),
    played.control.ledger(world.model),
    played.control.status(world.model),
  ]);
  expectInOrder(ledger, cycles);
  expect(cycles.length).toBeGreaterThan(before.length);
  expect(dead()).toEqual({ n: 0 });
  const counted = status.days.filter(({ day }) => day!.getTime() >= START + 16 * DAY && day!.getTime() < stops + month);
  expect(counted.length).toBeGreaterThan(5);
  for (const { predictions, labelled } of counted) expect([predictions, labelled]).toEqual([120, 120]);
  // Cooldown: no cycle opens sooner than three days after the one before it, however many days came at once.
  const opened = cycles.map((cycle) => cycle.opened!.getTime());
  for (let i = 2; i < opened.length; i++) expect(opened[i] - opened[i - 1]).toBeGreaterThanOrEqual(3 * DAY - HOUR);
}, 180_000);
