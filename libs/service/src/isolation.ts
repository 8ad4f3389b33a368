/**
 * What is set aside: a model whose own fault would stop the work on all others. It is told of loudly and tried again; the rest
 * goes on.
 *
 * I1  Only a fault of the model's own is caught. What is retriable (a dependency away, the lead lost) is thrown: the event comes
 *     again, for all of them, as ever.
 * I2  A fault ends when the same work on the same model has gone through.
 * I3  Of faults in a row the log has the first, the second, the fourth, the eighth …: a model that fails at each tick is no flood.
 */
import { isRetriable, LoopError, shortened } from '@driftloop/contracts';
import { errors } from './errors.js';
import { isWorthALine, type Log } from './log.js';
import type { Measurement, Metrics } from './telemetry/metrics.js';

/** Whose work it is. */
export interface Subject {
  readonly tenant: string;
  readonly model: string;
}

/** Work that a model is set aside from. */
export interface Fault extends Subject {
  /** Such as `opening` or `evaluation`. */
  readonly work: string;
  /** For people; of an error that is not typed only its kind. */
  readonly reason: string;
  /** Failures in a row. */
  readonly failures: number;
}

const longestReason = 300;

/** Injectable. */
export class Isolation {
  private readonly faults = new Map<string, Fault>();

  constructor(
    private readonly log: Pick<Log, 'error' | 'info'>,
    metrics: Metrics,
  ) {
    metrics.observe('driftloop.model.set_aside', () => this.measured());
  }

  /** Does a model's work. False where it failed by a fault of its own (I1), which is kept and told. */
  async guard(subject: Subject, work: string, run: () => unknown): Promise<boolean> {
    try {
      await run();
    } catch (error) {
      this.setAside(subject, work, error);
      return false;
    }
    this.cleared(subject, work);
    return true;
  }

  /** A model's work has failed. Throws what is retriable (I1). */
  setAside({ tenant, model }: Subject, work: string, error: unknown): void {
    if (isRetriable(error)) throw error;
    const key = keyOf({ tenant, model }, work);
    const failures = (this.faults.get(key)?.failures ?? 0) + 1;
    const fault = { tenant, model, work, reason: faultInWords(error), failures };
    this.faults.set(key, fault);
    if (isWorthALine(failures))
      this.log.error(
        { model: `${tenant}/${model}`, work, failures, err: error },
        'a model is set aside; all others go on',
      );
  }

  /** A model's work has gone through (I2). */
  cleared(subject: Subject, work: string): void {
    if (!this.faults.delete(keyOf(subject, work))) return;
    this.log.info({ model: `${subject.tenant}/${subject.model}`, work }, 'a model that was set aside is back');
  }

  /** 0 where nobody is: that it can be told must be seen before it is needed. */
  private measured(): Measurement[] {
    const found = this.all().map((fault) => ({ value: 1, labels: labelsOf(fault) }));
    return found.length ? found : [{ value: 0 }];
  }

  all(): Fault[] {
    return [...this.faults.values()];
  }

  of({ tenant, model }: Subject): Fault[] {
    return this.all().filter((fault) => fault.tenant === tenant && fault.model === model);
  }

  /** Throws MODEL_SET_ASIDE where this work on a model has failed. */
  check(subject: Subject, work: string): void {
    const fault = this.faults.get(keyOf(subject, work));
    if (fault) throw errors.MODEL_SET_ASIDE(fault);
  }
}

const keyOf = ({ tenant, model }: Subject, work: string) => `${tenant}/${model} ${work}`;
const labelsOf = ({ model, work }: Fault) => ({ 'driftloop.model': model, 'driftloop.work': work });

/** What is not typed says only of which kind it is: the log has the rest. */
export function faultInWords(error: unknown): string {
  if (error instanceof LoopError) return shortened(`${error.code}: ${error.message}`, longestReason);
  return `an internal fault (${error instanceof Error ? error.name : typeof error}), told in the log`;
}

/** For a person: what a model is set aside from, and what to do. */
export function setAsideInWords({ work, reason, failures }: Fault): string {
  const often = failures > 1 ? `${failures} times in a row` : 'once';
  return `set aside: its ${work} failed ${often} (${reason}); it is tried again, mend the cause or apply a spec that does`;
}
