/** The world around monitoring, for specs: what the other services would say, on the real embedded ground. */
import { createHash } from 'node:crypto';
import { Random } from '@driftloop/algorithms';
import {
  type AnyEvent,
  Arm,
  canonicalSpec,
  type Decision,
  entityBucket,
  events,
  Label,
  LabelsAdded,
  labelBuckets,
  ModelDeclared,
  type ModelSpecInput,
  MonitoringClient,
  type PayloadOf,
  type Prediction,
  PredictionsMade,
  parseModelSpec,
  Rollout,
  RolloutChanged,
  Stage,
  TimePassed,
} from '@driftloop/contracts';
import { call, grpcClient, Isolation } from '@driftloop/service';
import { type TestOptions, testService } from '@driftloop/testing/service';
import { Days } from '../days.documents.js';
import { LoopDocuments } from '../loop.documents.js';
import { monitoring } from '../monitoring.module.js';
import { Rows } from '../rows.documents.js';

/** The documents that a spec may look into. */
export const DocumentsOf = { rows: Rows, days: Days, loop: LoopDocuments };

export const hour = 3_600_000;
export const day = 24 * hour;
/** The first instant of the first cohort. */
export const start = Date.parse('2013-01-01T09:00:00Z');

/** Few rows a day, so that a spec is fast; the rest as people would leave it. */
export function specText(change: { retraining?: object; rollout?: object; monitoring?: object; label?: object } = {}) {
  const spec = {
    apiVersion: 'driftloop/v1',
    kind: 'Model',
    metadata: { name: 'parcels' },
    spec: {
      task: 'binary',
      entity: { name: 'parcel', time: 'due' },
      question: { lead: '60m' },
      cohort: { startsAt: '09:00' },
      request: { inputs: { depot: 'text', weight: 'number', due: 'time' }, source: 'plan' },
      sources: { plan: { columns: { depot: 'text', weight: 'number' } } },
      features: [{ input: 'depot' }, { input: 'weight' }],
      label: { name: 'late', closeAfter: '12h', censorAfter: '48h', ...change.label },
      retraining: {
        any: [{ growth: { atLeast: 0.5 } }, { calibrationGap: { atLeast: 0.05 } }],
        ...{ minFreshLabels: 100, cooldown: '8d', deadlines: { canary: '6d' } },
        ...change.retraining,
      },
      ...(change.rollout && { rollout: change.rollout }),
      ...(change.monitoring && { monitoring: change.monitoring }),
    },
  } as unknown as ModelSpecInput;
  return canonicalSpec(parseModelSpec(JSON.stringify(spec))).json;
}

/** One parcel: what it was predicted and what came true. */
export interface Parcel {
  id: string;
  /** The id of its question, where that is another. */
  as?: string;
  time: number;
  weight: number;
  p: number;
  y: 0 | 1;
}

/** A day of parcels, evenly over the cohort, whose probabilities are right. */
export function parcelsOf(cohort: number, count: number, seed = 1): Parcel[] {
  const random = new Random(`${seed}/${cohort}`);
  return Array.from({ length: count }, (_, i) => {
    const p = random.uniform(0.05, 0.6);
    const time = cohort + Math.floor((i * day) / count);
    const y = random.uniform() < p ? 1 : 0;
    return { id: `p${cohort / day}-${i}`, time, weight: random.uniform(0, 10), p, y };
  });
}

export interface Answers {
  version?: string;
  canary?: boolean;
  p?: (parcel: Parcel) => number;
  shadows?: Record<string, (parcel: Parcel) => number>;
  error?: string;
  /** What names the questions; as events of before where it is left out. */
  question?: string;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

export async function openWorld(
  options: TestOptions & { spec?: string; model?: string; resume?: number; live?: boolean; faulty?: boolean } = {},
) {
  const { spec = specText(), model = 'parcels', resume = 0, live = false, faulty = false, ...home } = options;
  const service = await testService(monitoring, home);
  const { bus, addresses } = service.ground;
  const client = grpcClient(MonitoringClient, addresses.of('monitoring'));
  const key = { tenant: 'main', model };
  const label = `${model}.late`;

  const tell = async <D extends AnyEvent>(definition: D, payload: PayloadOf<D>, time: number, id?: string) => {
    const data = definition.payload.toJSON(payload);
    // told again, a fact has the same id
    const name =
      id ??
      createHash('sha256')
        .update(JSON.stringify([definition.topic, time, data]))
        .digest('hex');
    const { topic, from: source } = definition;
    await bus.publish([{ id: name, topic, key: definition.key(payload), time, source, data }]);
  };
  const heard = async <D extends AnyEvent>(definition: D): Promise<PayloadOf<D>[]> => {
    const found = await bus.read(definition.topic, 0, 0, 1000);
    return found.map((event) => definition.payload.fromJSON(event.data) as PayloadOf<D>);
  };
  const ids = async (definition: AnyEvent) => (await bus.read(definition.topic, 0, 0, 1000)).map((event) => event.id);
  const declare = async (time: number, specJson = spec, revision = 1) =>
    tell(events.modelDeclared, ModelDeclared.fromPartial({ ...key, revision, specJson }), time);
  let revision = resume;
  const roll = async (time: number, change: Record<string, unknown>, decision?: Decision) => {
    const rollout = Rollout.fromPartial({ stage: Stage.ENDED, ...change, effective: new Date(time) } as never);
    rollout.revision = ++revision;
    await tell(events.rolloutChanged, RolloutChanged.fromPartial({ ...key, rollout, decision }), time);
  };
  /** Questions about parcels, asked an hour ahead. */
  const ask = async (parcels: readonly Parcel[], answers: Answers = {}) => {
    const { version = 'v1', canary, p, shadows = {}, error = '', question = '' } = answers;
    const predictions = parcels.map(
      (parcel): Prediction => ({
        id: parcel.as ?? parcel.id,
        entityId: parcel.id,
        entityTime: new Date(parcel.time),
        eventTime: new Date(parcel.time - hour),
        version,
        probability: p ? p(parcel) : parcel.p,
        arm: canary ? Arm.CANARY : Arm.CHAMPION,
        shadows: Object.entries(shadows).map(([name, of]) => ({
          ...{ version: name, latencyMs: 1, error: '' },
          probability: of(parcel),
        })),
        numbers: [parcel.weight],
        texts: ['north'],
        imputed: [],
        latencyMs: 1,
        ...{ error, question },
      }),
    );
    const layout = { numberFeatures: ['weight'], textFeatures: ['depot'] };
    await tell(events.predictionsMade, PredictionsMade.fromPartial({ ...key, ...layout, predictions }), start);
  };
  /** What came true, known `delay` after the parcel's time. */
  const label_ = async (parcels: readonly Parcel[], delay = 2 * hour, revisionOf = 1, value?: (p: Parcel) => 0 | 1) => {
    for (let bucket = 0; bucket < labelBuckets; bucket++) {
      const labels = parcels
        .filter((parcel) => entityBucket(parcel.id, labelBuckets) === bucket)
        .map((parcel) =>
          Label.fromPartial({
            entityId: parcel.id,
            entityTime: new Date(parcel.time),
            knownAt: new Date(parcel.time + delay),
            value: value ? value(parcel) : parcel.y,
            revision: revisionOf,
          }),
        );
      if (labels.length)
        await tell(events.labelsAdded, LabelsAdded.fromPartial({ tenant: 'main', label, labels, bucket }), start);
    }
  };
  const ticks: number[] = [];
  const tick = async (now: number) => {
    await bus.settled();
    ticks.push(now);
    const before = ticks.filter((time) => time < now).at(-1);
    const previous = before === undefined ? undefined : new Date(before);
    const passed = TimePassed.fromPartial({ now: new Date(now), replay: !live, previous });
    await tell(events.timePassed, passed, now, `tick-${now}`);
    await bus.settled();
  };
  /** Ticks every `step` over (from, to]. */
  const pass = async (from: number, to: number, step = 6 * hour) => {
    for (let now = from + step; now <= to; now += step) await tick(now);
  };
  /** Fails when a handler refused anything, or a model was set aside where none is `faulty`. */
  const close = async () => {
    const groups = [...new Set((await bus.lag()).map(({ group }) => group))];
    const dead = (await Promise.all(groups.map((group) => bus.dead(group)))).flat();
    const [aside] = faulty ? [] : service.app.get(Isolation).all();
    client.close();
    await service.close();
    if (aside) throw new Error(`${aside.model} is set aside: ${aside.reason}`);
    if (dead.length) throw new Error(`${dead.length} dead letters, first: ${JSON.stringify(dead[0].error)}`);
  };
  const status = () => call(client, 'getStatus', { model }, { deadlineMs: 5000 });
  const cycles = async () => (await call(client, 'listCycles', { model }, { deadlineMs: 5000 })).cycles;
  const ledger = () => call(client, 'readLedger', { model, after: 0, limit: 0 }, { deadlineMs: 5000 });
  return {
    ...{ service, bus, client, key, tell, heard, ids, declare, roll, ask, label: label_, tick, pass, close },
    ...{ status, cycles, ledger, revision: () => revision },
  };
}
