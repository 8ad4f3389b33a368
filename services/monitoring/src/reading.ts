/** Answers to questions about the loop, read from documents: any replica can give them. */
import { Cycle, Decision, Evidence, type ModelStatus } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { type DayDocument, Days } from './days.documents.js';
import { errors } from './errors.js';
import { Facts } from './facts.js';
import { type CycleDocument, LoopDocuments } from './loop.documents.js';
import { Loop } from './loop.js';
import { Rows } from './rows.documents.js';
import type { ModelView } from './view.js';

const shownDays = 28;

@Injectable()
export class Reading {
  constructor(
    private readonly documents: LoopDocuments,
    private readonly days: Days,
    private readonly rows: Rows,
    private readonly facts: Facts,
    private readonly loop: Loop,
  ) {}

  /** Throws UNKNOWN_MODEL. */
  async status(tenant: string, model: string): Promise<ModelStatus> {
    const series = `${tenant}/${model}`;
    const view = await this.declared(series, model);
    const [days, watch, cycles] = await Promise.all([
      this.days.last(series, shownDays),
      this.documents.watch(series),
      this.documents.cyclesOf(series),
    ]);
    const now = Math.max(this.loop.now, watch?.now ?? 0);
    return {
      model,
      champion: view.champion,
      now: now ? new Date(now) : undefined,
      openCycle: cycles.find((cycle) => cycle.stage !== 'closed')?._id ?? '',
      freshLabels: await this.fresh(view),
      trainedLabels: view.training?.datasetRows ?? 0,
      signals: [...(watch?.latest ?? []), ...(watch?.trial ?? [])].map(Evidence.fromJSON),
      days: days.map(summary),
      paused: false,
      pausedNote: '',
      quarantined: 0,
      attention: [],
    };
  }

  async cycles(tenant: string, model: string): Promise<Cycle[]> {
    const series = `${tenant}/${model}`;
    await this.declared(series, model);
    return (await this.documents.cyclesOf(series)).map(cycleMessage);
  }

  /** The one cycle of a tenant whose id begins so. Throws UNKNOWN_CYCLE, CYCLE_AMBIGUOUS, CYCLE_PREFIX_TOO_SHORT. */
  async cycle(tenant: string, beginning: string): Promise<Cycle> {
    if (!/^[0-9a-f]{4,64}$/.test(beginning)) throw errors.CYCLE_PREFIX_TOO_SHORT({ cycle: beginning.slice(0, 80) });
    const found = await this.documents.cyclesLike(tenant, beginning);
    if (!found.length) throw errors.UNKNOWN_CYCLE({ cycle: beginning });
    if (found.length > 1) throw errors.CYCLE_AMBIGUOUS({ cycle: beginning });
    return cycleMessage(found[0]);
  }

  /** Throws UNKNOWN_MODEL where nothing is declared by this name. */
  async declared(series: string, model: string): Promise<ModelView> {
    const view = await this.facts.viewOf(series);
    if (!view.ready) throw errors.UNKNOWN_MODEL({ model });
    return view;
  }

  private async fresh(view: ModelView): Promise<number> {
    if (view.training) return this.days.labelsKnownAfter(view.series, view.training.cutoff);
    const closed = (await this.days.last(view.series, 1)).at(-1);
    const open = await this.rows.countLabelsFrom(
      view.labels,
      closed ? closed.day + 86_400_000 : Number.MIN_SAFE_INTEGER,
    );
    return (await this.days.labelsKnownAfter(view.series, Number.MIN_SAFE_INTEGER)) + open;
  }
}

const summary = ({ day, predictions, labelled, censored, versions }: DayDocument) => ({
  day: new Date(day),
  predictions,
  labelled,
  censored: censored ?? 0,
  versions: versions.map(({ clippedLossNano: _clipped, ...sums }) => sums),
});

function cycleMessage(doc: CycleDocument): Cycle {
  return Cycle.fromPartial({
    cycleId: doc._id,
    ...{ model: doc.model, number: doc.number, stage: doc.stage, outcome: doc.outcome, reasons: doc.reasons },
    ...{ signal: doc.signal, champion: doc.champion, version: doc.version },
    opened: new Date(doc.opened),
    closed: doc.closed === null ? undefined : new Date(doc.closed),
    deadline: new Date(doc.deadline),
    steps: doc.steps.map(({ time, service, what, decision }) => ({
      eventTime: new Date(time),
      service,
      what,
      decision: decision === undefined ? undefined : Decision.fromJSON(decision),
    })),
  });
}
