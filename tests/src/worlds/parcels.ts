/**
 * For specs: a small world, the same every time. Parcels are due all day from five depots; whether one is late depends
 * on its depot, the traffic, and a mood of the day that only the outcomes of other parcels show.
 */
import { Random } from '@driftloop/algorithms';
import type { Fact } from '@driftloop/client';
import type { Happening, World } from '@driftloop/flights';

const minute = 60_000;
export const HOUR = 60 * minute;
export const DAY = 24 * HOUR;
/** First instant of the first day. */
export const START = Date.UTC(2024, 0, 1);

export const model = 'parcels';

export interface ParcelsOptions {
  days?: number;
  /** Parcels a day. */
  perDay?: number;
  /** Days that are history: nothing is asked there. */
  history?: number;
  /** From this day on traffic means the opposite, and more parcels are late. */
  driftAt?: number;
  /** Days, from and up to, whose outcomes are reported the wrong way round. */
  flipped?: readonly [from: number, to: number];
  /** Changes to the spec's text. */
  spec?: readonly (readonly [from: string, to: string])[];
}

const spec = `
apiVersion: driftloop/v1
kind: Model
metadata: { name: parcels, description: Will this parcel be late? Asked an hour before it is due. }
spec:
  task: binary
  entity: { name: parcel, time: due_at }
  question: { lead: 60m }
  request:
    inputs: { depot: text, weight: number, due_at: time }
    source: orders
  derived: { hour: { from: due_at, part: hourOfDay } }
  sources:
    orders: { columns: { depot: text, weight: number } }
    handed: { columns: { delay: number } }
    traffic: { columns: { jam: number } }
  features:
    - input: depot
    - input: weight
    - input: hour
    - { latest: traffic, columns: [jam], maxAge: 3h }
    - { window: outcomes, aggregate: mean, of: value, as: late, over: [6h, 24h] }
    - { window: outcomes, aggregate: mean, of: value, as: late, by: depot, over: [48h] }
    - { window: handed, aggregate: mean, of: delay, as: delay, over: [3h] }
    - { overdue: orders, until: handed, over: [6h], by: depot }
  label: { name: late, closeAfter: 6h, censorAfter: 24h, prior: 0.4 }
  training:
    parameters: { trees: 30, learningRate: 0.1, leaves: 7, minRowsPerLeaf: 20 }
    search: { trials: 0 }
    calibration: { folds: 2 }
  gate: { enabled: true, slices: [depot], sliceMinRows: 100, embargo: { minDays: 3, maxDays: 6, minRows: 300 } }
  rollout:
    shadow: { margin: 0.02, clip: 0.1, promoteAt: 10, harmAt: 20, maxDays: 6 }
    canary: { percent: 20, duration: 12h, minPredictions: 10 }
  monitoring: { window: 5d }
  # This world changes as grossly as poison would (quarantine.spec.ts); nobody is there to say that it is real.
  quarantine: { aucBelow: 0, calibrationGapAbove: 1, sourceGapAbove: 1 }
  retraining:
    any: [{ growth: { atLeast: 1 } }, { calibrationGap: { atLeast: 0.08, z: 2.5 } }]
    cooldown: 3d
    minFreshLabels: 700
`;

/** The spec's text, with changes. */
export const parcelsSpec = (changes: ParcelsOptions['spec'] = []): string =>
  changes.reduce((text, [from, to]) => text.replace(from, to), spec);

interface Parcel {
  id: string;
  day: number;
  due: number;
  depot: string;
  weight: number;
  late: 0 | 1;
  delay: number;
  known: number;
}

/** The world of the options, and its truth. */
export function parcelsWorld(options: ParcelsOptions = {}): World & { truth: Map<string, number> } {
  const { days = 34, perDay = 120, history = 9, driftAt = days, flipped = [days, days] } = options;
  const jams = trafficOf(days);
  const parcels = parcelsOf(days, perDay, driftAt, jams);
  const happenings = [
    ...jams.map((jam, hour): Happening => {
      const at = START + hour * HOUR;
      return fact('traffic', 'city', at, at + 10 * minute, { jam });
    }),
    ...parcels.flatMap((parcel): Happening[] => [
      fact('orders', parcel.id, parcel.due, parcel.due - DAY, { depot: parcel.depot, weight: parcel.weight }),
      handed(parcel),
      outcome(parcel, parcel.day >= flipped[0] && parcel.day < flipped[1]),
      ...(parcel.day >= history ? [question(parcel)] : []),
    ]),
  ].sort((a, b) => a.at - b.at);
  const truth = new Map(parcels.map(({ id, late }) => [id, late]));
  const sources = ['orders', 'handed', 'traffic'];
  return { model, label: 'parcels.late', spec: parcelsSpec(options.spec), sources, happenings, truth, step: 3 * HOUR };
}

/** As a world's module, for `--world`: traffic turns round on the twelfth day. */
export const openWorld = (): World => parcelsWorld({ driftAt: 12 });
export const truth = (): Map<string, number> => parcelsWorld({ driftAt: 12 }).truth;

/** Traffic of each hour: busy twice a day, and wandering. */
function trafficOf(days: number): number[] {
  const random = new Random('traffic');
  let wander = 0;
  return Array.from({ length: days * 24 }, (_, hour) => {
    wander = 0.9 * wander + random.normal(0, 0.12);
    return 0.5 + 0.2 * Math.sin((hour / 24) * 4 * Math.PI) + wander;
  });
}

function parcelsOf(days: number, perDay: number, driftAt: number, jams: readonly number[]): Parcel[] {
  const random = new Random('parcels');
  return Array.from({ length: days }, (_, day) => {
    const mood = random.normal(0, 0.5);
    return Array.from({ length: perDay }, (_, i): Parcel => {
      const due = START + day * DAY + Math.floor((i * 1440) / perDay) * minute;
      const depot = random.integer(5);
      const weight = Math.round(random.uniform() * 100) / 10;
      const jam = jams[Math.floor((due - START) / HOUR)];
      const traffic = (day < driftAt ? 6 : -6) * (jam - 0.5) + (day < driftAt ? 0 : 0.7);
      const logit = -0.8 + mood + traffic + 0.9 * (depot - 2);
      const late = random.uniform() < 1 / (1 + Math.exp(-logit)) ? 1 : 0;
      const delay = Math.round(late ? 15 + 40 * random.uniform() : 14 * random.uniform());
      const known = due + delay * minute + Math.round((0.5 + 3 * random.uniform()) * HOUR);
      return { id: `P${day}-${i}`, day, due, depot: `d${depot}`, weight, late, delay, known };
    });
  }).flat();
}

function fact(source: string, entityId: string, eventTime: number, at: number, values: Fact['values']): Happening {
  const row = { entityId, eventTime: new Date(eventTime), knownAt: new Date(at), values };
  return { at, kind: 'fact', source, fact: row };
}

function handed({ id, due, delay }: Parcel): Happening {
  const at = due + delay * minute;
  return fact('handed', id, at, at, { delay });
}

function outcome({ id, due, known, late }: Parcel, flip: boolean): Happening {
  const value = flip ? 1 - late : late;
  const reported = { entityId: id, entityTime: new Date(due), knownAt: new Date(known), value, source: 'doors' };
  return { at: known, kind: 'outcome', outcome: reported };
}

function question({ id, due, depot, weight }: Parcel): Happening {
  const at = due - HOUR;
  const inputs = { depot, weight, due_at: new Date(due) };
  return { at, kind: 'question', question: { model, entityId: id, id, eventTime: new Date(at), inputs } };
}
