/** For specs: a small history in place of the year. Labels follow one feature and a mood of the day that no feature shows. */
import { Random } from '@driftloop/algorithms';
import { parseModelSpec } from '@driftloop/contracts';
import type { TrainingTable } from '@driftloop/training';
import { parcelsSpec } from '../worlds/parcels.js';
import { quick, type Year, yearOf } from './year.js';

const day = 86_400_000;
const start = Date.UTC(2030, 0, 1);

export interface SmallYear {
  days?: number;
  perDay?: number;
  /** From this day on every label is more likely, in logits. */
  shift?: { from: number; by: number };
}

/** The history, with the default policy, gate and judge, and a smaller booster. */
export function smallYear({ days = 110, perDay = 80, shift }: SmallYear = {}): Year {
  const random = new Random('small year');
  const rows = days * perDay;
  const signal = Float64Array.from({ length: rows }, () => random.normal(0, 1.5));
  const noise = Float64Array.from({ length: rows }, () => random.normal());
  const moods = Array.from(
    { length: days },
    (_, d) => random.normal(0, 0.2) + (shift && d >= shift.from ? shift.by : 0),
  );
  const entityTimes = Float64Array.from({ length: rows }, (_, row) => start + (row * day) / perDay);
  const labels = Uint8Array.from(signal, (x, row) => {
    const logit = x - 0.8 + moods[Math.floor(row / perDay)];
    return random.uniform() < 1 / (1 + Math.exp(-logit)) ? 1 : 0;
  });
  const table: TrainingTable = {
    rows,
    columns: [
      { name: 'signal', kind: 'numeric', values: signal },
      { name: 'noise', kind: 'numeric', values: noise },
    ],
    labels,
    questionTimes: entityTimes.map((time) => time - 3_600_000),
    knownAt: entityTimes.map((time) => time + 3 * 3_600_000),
    cohorts: entityTimes.map((time) => Math.floor(time / day) * day),
  };
  return yearOf(table, smallSpec());
}

function smallSpec() {
  const parcels = parseModelSpec(parcelsSpec());
  const { gate, rollout, monitoring, retraining, training, ...rest } = parcels.spec;
  // What a person has not written, the defaults say.
  const spec = quick(parseModelSpec(JSON.stringify({ ...parcels, spec: rest })));
  const parameters = { ...spec.spec.training.parameters, trees: 25, learningRate: 0.2, leaves: 7 };
  return { ...spec, spec: { ...spec.spec, training: { ...spec.spec.training, parameters } } };
}
