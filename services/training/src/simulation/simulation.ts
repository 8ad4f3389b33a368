/** A simulation, start to end, on its own thread: the recorded rows, the plan, the trainings, the table. */
import { type Column, History, type SimulatedAlternative, simulate } from '@driftloop/algorithms';
import { type ModelSpec, SimulateProgress, SimulateReport } from '@driftloop/contracts';
import type { TrainingTable } from '../recipe/table.js';
import { Models, type Parts } from './models.js';
import { embargoAt, planOf, START_STEP, snapped } from './plan.js';
import { rulesOf, timesOf } from './rules.js';

export interface SimulationRequest {
  readonly table: TrainingTable;
  readonly spec: ModelSpec;
  readonly jitters: number;
  readonly seed: number;
}

/** The report. Throws HISTORY_TOO_SHORT. */
export async function runSimulation(
  { table, spec, jitters, seed }: SimulationRequest,
  parts: Parts,
  onProgress: (progress: SimulateProgress) => void,
): Promise<SimulateReport> {
  const history = historyOf(table, spec);
  const { starts, grid } = planOf(table, history, spec, jitters);
  const models = new Models(table, history, spec, starts[0], parts);
  const embargoes = new Map<string, ReturnType<typeof embargoAt>>();
  const tell = (what: string, done: number, of: number) => onProgress(SimulateProgress.fromPartial({ what, done, of }));
  const trainings = {
    embargo: (knowledge: number, champion: number) => {
      const key = `${knowledge}/${champion}`;
      if (!embargoes.has(key)) embargoes.set(key, embargoAt(table, spec, knowledge, champion));
      return embargoes.get(key);
    },
    model: async (knowledge: number) => {
      const before = models.trained + models.cached;
      const scores = await models.at(snapped(grid, knowledge));
      if (models.trained + models.cached > before) tell('models', before + 1, grid.length);
      return scores;
    },
  };
  const rules = rulesOf(spec);
  const options = { starts, seed, onStart: (done: number, of: number) => tell('starts', done, of) };
  const table4 = await simulate(history, rules, trainings, options);
  const { questionTimes } = history.recorded;
  return SimulateReport.fromPartial({
    model: spec.metadata.name,
    firstQuestion: new Date(starts[0]),
    lastQuestion: new Date(questionTimes[history.rows - 1]),
    scoredRows: table4[0].byStart[0].rows,
    jitters: starts.length,
    policies: table4.map(messageOf),
    trained: models.trained,
    cached: models.cached,
    notes: notesOf(spec, grid),
  });
}

/** The training set as history, with the columns that the gate slices by. */
export function historyOf(table: TrainingTable, spec: ModelSpec): History {
  const { labels, questionTimes, knownAt, cohorts } = table;
  const slices = spec.spec.gate.slices.flatMap((name) => {
    const column = table.columns.find((c) => c.name === name);
    return column ? [sliced(column)] : [];
  });
  return new History({ labels, questionTimes, knownAt, cohorts, slices }, timesOf(spec));
}

/** A numeric column is sliced by its values. */
function sliced(column: Column) {
  if (column.kind === 'categorical') return { name: column.name, codes: column.codes, values: column.categories };
  const values = [...new Set(column.values)].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const codeOf = new Map(values.map((value, code) => [value, code]));
  return {
    name: column.name,
    codes: Int32Array.from(column.values, (v) => codeOf.get(v) ?? -1),
    values: values.map(String),
  };
}

function messageOf(row: SimulatedAlternative): SimulateReport['policies'][number] {
  const { name, trainings, promoted, refused, auc, brier, logLoss, difference } = row;
  return {
    ...{ name, trainings, promoted, refused, auc, brier },
    ...{ logLoss: logLoss.mean, logLossLow: logLoss.low, logLossHigh: logLoss.high },
    ...{ difference: difference.mean, differenceLow: difference.low, differenceHigh: difference.high },
  };
}

function notesOf(spec: ModelSpec, grid: readonly number[]): string[] {
  const step = grid.length > 1 ? (grid[1] - grid[0]) / 86_400_000 : 1;
  return [
    `starts lie ${START_STEP} days apart; a model is trained as of the newest of ${grid.length} cutoffs ${step} day(s) apart, for every policy alike`,
    'calendar and random have as many trainings as the policy from the same start, through the same gate, shadow and canary; random is the mean of four draws',
    'intervals (95%, t over starts) tell of the luck of a start on this history, not of another year',
    'left out: the canary’s health, single features that leak, quarantine, and whatever people do',
    ...(spec.spec.gate.enabled ? [] : ['the gate is switched off']),
  ];
}
