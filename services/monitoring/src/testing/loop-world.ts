/** The loop around monitoring, for specs: a champion in service, traffic day by day, and what the registry would say. */
import {
  DayScore,
  decision,
  events,
  ModelApproved,
  ModelPromoted,
  ModelRefused,
  ModelRolledBack,
  ModelTrained,
  Stage,
} from '@driftloop/contracts';
import { type Answers, day, hour, openWorld, type Parcel, parcelsOf, start, type World } from './world.js';

export type LoopWorld = World & Awaited<ReturnType<typeof around>>;

/** A world whose champion v1 was trained on 100 labels, known by `start`. */
export async function openLoop(options: Parameters<typeof openWorld>[0] = {}): Promise<LoopWorld> {
  const world = await openWorld(options);
  const loop = { ...world, ...around(world) };
  if (options.resume) return loop;
  await world.declare(start - 2 * day);
  await loop.promote(start - day, 'v1', { cutoff: start, trained: 100, cycleId: '' });
  await world.roll(start - day, { champion: { version: 'v1' } });
  return loop;
}

const histograms = {
  weight: { kind: 'numeric', edges: [2, 4, 6, 8], counts: [200, 200, 200, 200, 200, 0] },
  depot: { kind: 'categorical', categories: ['north', 'south'], counts: [1000, 0, 0, 0] },
  prediction: { kind: 'numeric', edges: [0.2, 0.3, 0.4, 0.5], counts: [270, 180, 180, 180, 190, 0] },
};

/** What 25 days of 40 independent rows show. */
const spreads = Object.fromEntries(
  Object.entries(histograms).map(([feature, { kind, counts }]) => {
    const rows = counts.reduce((sum, count) => sum + count, 0);
    const below = counts.slice(0, -1).map((_, k) => counts.slice(0, k + 1).reduce((sum, count) => sum + count, 0));
    const squares = (kind === 'numeric' ? below : counts).map((count) => count * (1 - count / rows));
    return [feature, { days: 25, squares, lagged: squares.map(() => 0) }];
  }),
);

const [weight] = [histograms.weight];
/** All parcels are of the north. */
const slices = { 'depot=north': { weight: { counts: weight.counts, spread: spreads.weight } } };
/** 550 thousandths a row. */
const losses = { weight: { rows: weight.counts, loss: weight.counts.map((count) => 550 * count) } };

export function around(world: World) {
  const { key, tell, roll } = world;
  const said = (kind: string, outcome: string, time: number, subject: string) =>
    decision({ kind, outcome, subject, time, reasons: [`${outcome} by the spec's registry`] });

  /** A day of parcels, asked and labelled, and ticks up to its closing. */
  const live = async (
    cohort: number,
    { count = 40, ...answers }: Answers & { count?: number; parcels?: (p: Parcel) => Parcel } = {},
  ) => {
    const parcels = parcelsOf(cohort, count).map(answers.parcels ?? ((parcel: Parcel) => parcel));
    await world.ask(parcels, answers);
    await world.label(parcels);
    await world.pass(cohort - 12 * hour, cohort + 12 * hour);
  };
  const trained = (time: number, cycleId: string) => {
    const days = Array.from({ length: 8 }, (_, i) =>
      DayScore.fromPartial({
        ...{ day: new Date(time - (9 - i) * day), rows: 40, challengerLossNano: 40 * (0.55e9 + (i % 3) * 1e7) },
        championLossNano: 40 * 0.6e9,
      }),
    );
    const lineage = { datasetRows: 500, knowledgeCutoff: new Date(time) };
    const told = { ...key, cycleId, eventTime: new Date(time), lineage, comparison: { days } };
    return tell(events.modelTrained, ModelTrained.fromPartial(told as never), time);
  };
  const approve = (time: number, cycleId: string, version: string) => {
    const told = { ...key, cycleId, version, decision: said('gate', 'approved', time, version) };
    return tell(events.modelApproved, ModelApproved.fromPartial(told), time);
  };
  const refuse = (time: number, cycleId: string, version: string) => {
    const told = { ...key, cycleId, version, decision: said('gate', 'refused', time, version) };
    return tell(events.modelRefused, ModelRefused.fromPartial(told), time);
  };
  const promote = (
    time: number,
    version: string,
    { cutoff, trained: datasetRows, cycleId }: { cutoff: number; trained: number; cycleId: string },
  ) => {
    const diagnosisJson = JSON.stringify({ spreads, slices, losses });
    const reference = { histogramsJson: JSON.stringify(histograms), diagnosisJson, logLoss: 0.55, rows: 320 };
    const told = { ...key, version, cycleId, datasetRows, knowledgeCutoff: new Date(cutoff), reference };
    const payload = ModelPromoted.fromPartial({ ...told, decision: said('alias', 'promoted', time, version) } as never);
    return tell(events.modelPromoted, payload, time);
  };
  const rolledBack = (time: number, version: string, cycleId: string, outcome = 'rolled_back') => {
    const told = { ...key, version, cycleId, outcome, decision: said('alias', outcome, time, version) };
    return tell(events.modelRolledBack, ModelRolledBack.fromPartial(told), time);
  };
  const trial = (time: number, cycleId: string, stage: Stage, versions = ['v1', 'v2']) =>
    roll(
      time,
      {
        ...{ stage, cycleId, rolloutId: `${cycleId}/${versions[1]}`, canaryPercent: stage === Stage.CANARY ? 10 : 0 },
        ...{ champion: { version: versions[0] }, challenger: { version: versions[1] } },
      },
      said('stage', stage === Stage.CANARY ? 'canary' : 'shadow', time, versions[1]),
    );
  const requested = () => world.heard(events.retrainingRequested);
  const judged = () => world.heard(events.rolloutJudged);
  const closed = () => world.heard(events.cycleClosed);
  /** Lives days until a cycle opens; resolves to its request and to the day after. */
  const untilOpened = async (cohort: number, answers: Parameters<typeof live>[1] = {}) => {
    const before = (await requested()).length;
    for (let at = cohort; ; at += day) {
      await live(at, answers);
      const found = await requested();
      if (found.length > before) return { request: found[before], next: at + day };
      if (at > cohort + 60 * day) throw new Error('no cycle opened in 60 days');
    }
  };
  /** Through training and gate into the first whole day of shadow: resolves to the cycle's id and the next day. */
  const untilShadow = async (cohort: number, answers: Parameters<typeof live>[1] = {}) => {
    const { request, next } = await untilOpened(cohort);
    const { cycleId } = request;
    const now = next - 12 * hour;
    await trained(now, cycleId);
    await approve(now, cycleId, 'v2');
    await trial(now, cycleId, Stage.SHADOW);
    await live(next, { shadows: { v2: ({ p }) => p }, ...answers });
    return { cycleId, next: next + day };
  };
  return {
    ...{ live, trained, approve, refuse, promote, rolledBack, trial, requested, judged, closed },
    ...{ untilOpened, untilShadow },
  };
}
