/**
 * The models that a simulation asks for: trained with the recipe as the loop would, or taken from what was kept.
 *
 * I1  A model answers only rows that were asked after its cutoff, or whose entity's time came after it: the rest it may have learned from.
 * I2  One model at a time; each is asked for by name first, so that the service can hand over a kept one, or hold it back while a real training runs.
 */
import { calibrate, type History, ModelScores, predictRaw, selectRows, train } from '@driftloop/algorithms';
import { durationMs, type ModelSpec } from '@driftloop/contracts';
import { fitCalibrator } from '../recipe/folds.js';
import { boosterParameters, type Declared } from '../recipe/parameters.js';
import { search } from '../recipe/search.js';
import { rowsWhere, type TrainingTable } from '../recipe/table.js';

const DAY_MS = 86_400_000;

/** Kept parts, by name. */
export interface Parts {
  /** The part as it was kept, or undefined: then it is to be computed, and handed to `keep`. */
  ask(part: string): Promise<Uint8Array | undefined>;
  keep(part: string, bytes: Uint8Array): void;
}

export class Models {
  trained = 0;
  cached = 0;
  readonly #made = new Map<number, ModelScores>();
  #parameters: Declared | undefined;

  constructor(
    private readonly table: TrainingTable,
    private readonly history: History,
    private readonly spec: ModelSpec,
    /** The first training's cutoff: its search holds for all, as a champion's recipe is inherited. */
    private readonly first: number,
    private readonly parts: Parts,
  ) {}

  /** The scores of the model that knows what was known at a cutoff. */
  async at(cutoff: number): Promise<ModelScores> {
    const made = this.#made.get(cutoff);
    if (made) return made;
    const first = this.history.rowAt(cutoff - this.history.times.lead);
    const scores = new ModelScores(this.history, cutoff, first, await this.probabilities(cutoff, first));
    this.#made.set(cutoff, scores);
    return scores;
  }

  private async probabilities(cutoff: number, first: number): Promise<Float32Array> {
    const parameters = await this.parameters();
    const part = `${cutoff}.f32`;
    const kept = await this.parts.ask(part);
    if (kept && kept.byteLength === 4 * (this.table.rows - first)) {
      this.cached++;
      return new Float32Array(kept.slice().buffer);
    }
    const scores = this.train(cutoff, first, parameters);
    this.trained++;
    this.parts.keep(part, new Uint8Array(scores.buffer));
    return scores;
  }

  private train(cutoff: number, first: number, parameters: Declared): Float32Array {
    const known = rowsWhere(this.table, (row) => this.table.knownAt[row] <= cutoff);
    const { seed } = this.spec.spec.training;
    const model = train(selectRows(this.table, known), boosterParameters(parameters, known.length), { seed });
    const calibrator = fitCalibrator(this.table, known, parameters, this.spec);
    const later = Int32Array.from({ length: this.table.rows - first }, (_, i) => first + i);
    return Float32Array.from(calibrate(calibrator, predictRaw(model, selectRows(this.table, later))));
  }

  /** The parameters of the first training: searched before its embargo, as the loop does. */
  private async parameters(): Promise<Declared> {
    if (this.#parameters) return this.#parameters;
    const { embargo } = this.spec.spec.gate;
    const before = this.first - embargo.minDays * DAY_MS - durationMs(this.spec.spec.label.closeAfter) - DAY_MS;
    const part = `parameters-${before}.json`;
    const kept = await this.parts.ask(part);
    if (kept) this.#parameters = JSON.parse(new TextDecoder().decode(kept)) as Declared;
    else {
      const rows = rowsWhere(this.table, (row) => this.table.knownAt[row] <= before);
      this.#parameters = search(this.table, rows, this.spec, [], () => {});
      this.parts.keep(part, new TextEncoder().encode(JSON.stringify(this.#parameters)));
    }
    return this.#parameters;
  }
}
