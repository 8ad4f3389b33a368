/** A training's steps as they come from its thread: written as checkpoints, one after the other, while the thread goes on. */
import type { CycleSpan } from '@driftloop/contracts';
import type { Objects } from '@driftloop/objects';
import type { CycleSpans } from '@driftloop/service';
import type { Jobs } from './jobs.js';
import type { Checkpoint } from './recipe/recipe.js';
import { keptWith, partOf } from './spans.js';
import type { JobDocument } from './training.documents.js';

/** The search ends with its parameters, the training with the released model. */
const partEndedBy: Partial<Record<keyof Checkpoint, 'search' | 'train'>> = { parameters: 'search', released: 'train' };

/** Wall ms. */
interface Times {
  readonly started: number;
  readonly ended: number;
}

export class Steps {
  #writing: Promise<void> = Promise.resolve();
  /** When the part that runs began, wall ms. */
  #since: number;

  constructor(
    private readonly jobs: Jobs,
    private readonly objects: Objects,
    private readonly spans: CycleSpans,
    private readonly job: JobDocument,
  ) {
    this.#since = spans.begin();
  }

  add(step: keyof Checkpoint, value: unknown): void {
    const ended = this.spans.begin();
    const times = { started: this.#since, ended };
    if (partEndedBy[step]) this.#since = ended;
    this.#writing = this.#writing.then(() => this.write(step, value, times));
    // Awaited at the end; until then a failure must not be taken for an unhandled one.
    this.#writing.catch(() => {});
  }

  /** Throws what writing a step threw. */
  written(): Promise<void> {
    return this.#writing;
  }

  /** When the part that runs began, wall ms. */
  get since(): number {
    return this.#since;
  }

  /** The models are in the artifacts now. */
  async clear(): Promise<void> {
    for (const step of ['twin', 'released']) await this.objects.delete(this.keyOf(step));
  }

  private async write(step: keyof Checkpoint, value: unknown, times: Times): Promise<void> {
    const span = this.spanOf(step, times);
    const kept = span && { spans: keptWith(this.job, [span]) };
    if (step !== 'twin' && step !== 'released')
      await this.jobs.checkpoint(this.job, { [step]: value, ...kept }, progressOf(step, value));
    else {
      const { key, sha256 } = await this.objects.put(this.keyOf(step), new TextEncoder().encode(JSON.stringify(value)));
      await this.jobs.checkpoint(this.job, { [`${step}Key`]: key, [`${step}Sha256`]: sha256, ...kept }, step);
    }
    this.spans.send(span);
  }

  /** Made when the steps before are written, so that it says the same however fast that goes. */
  private spanOf(step: keyof Checkpoint, { started, ended }: Times): CycleSpan | undefined {
    const part = partEndedBy[step];
    const trials = this.job.checkpoint.trials?.length;
    const facts = part === 'search' ? { 'driftloop.search.trials': trials } : {};
    return part && partOf(this.spans, this.job, part, started, facts, ended);
  }

  private keyOf(step: string): string {
    return `${this.job.tenant}/training/${this.job._id}/${step}.json`;
  }
}

function progressOf(step: keyof Checkpoint, value: unknown): string {
  return step === 'trials' ? `search: ${(value as unknown[]).length} trials` : step;
}
