/** Answers to questions about the loop, read from documents: any replica can give them. */
import { Cycle, Decision, dayMs, Evidence, type ModelStatus } from '@driftloop/contracts';
import { cycleTraceId, faultInWords } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { fallenBack, replicasOf } from './answering.js';
import { attentionOf } from './breaker.js';
import type { DayDocument } from './day-rows.js';
import { Days } from './days.documents.js';
import { deadlineOf } from './deadlines.js';
import { errors } from './errors.js';
import { Facts } from './facts.js';
import { HoldDocuments } from './holds.documents.js';
import { LoopDocuments } from './loop.documents.js';
import { Loop } from './loop.js';
import type { CycleDocument } from './loop-rows.js';
import { QuarantineItems } from './quarantine-items.js';
import { type RepeatedIds, Rows } from './rows.documents.js';
import { silentSources, sourcesAhead } from './silence.js';
import { spanMessages } from './spans.js';
import type { ModelView } from './view.js';

const shownDays = 28;
/** How long repeated ids are to be looked at, after the last of them. */
const repeatedShownMs = 7 * dayMs;

@Injectable()
export class Reading {
  constructor(
    private readonly documents: LoopDocuments,
    private readonly days: Days,
    private readonly rows: Rows,
    private readonly facts: Facts,
    private readonly loop: Loop,
    private readonly holds: HoldDocuments,
    private readonly quarantine: QuarantineItems,
  ) {}

  /** Throws UNKNOWN_MODEL. */
  async status(tenant: string, model: string): Promise<ModelStatus> {
    const series = `${tenant}/${model}`;
    const view = await this.declared(series, model);
    const [days, watch, cycles, hold, facts] = await Promise.all([
      this.days.last(series, shownDays),
      this.documents.watch(series),
      this.documents.cyclesOf(series),
      this.holds.last(series),
      this.documents.factsOf(series),
    ]);
    const quarantined = await this.quarantine.windows(series);
    const replicas = replicasOf(facts);
    const { held: frozen, heldReason } = view.rollout;
    const now = Math.max(this.loop.now, watch?.now ?? 0);
    return {
      model,
      champion: view.champion,
      now: now ? new Date(now) : undefined,
      openCycle: cycles.find((cycle) => cycle.stage !== 'closed')?._id ?? '',
      freshLabels: await this.fresh(view),
      trainedLabels: view.training?.datasetRows ?? 0,
      signals: [...(watch?.latest ?? []), ...(watch?.trial ?? [])].map(Evidence.fromJSON),
      signalsOf: watch?.latestOf ?? '',
      days: days.map(summary),
      paused: hold?.paused ?? false,
      pausedNote: hold?.paused ? `by ${hold.by}${hold.note && `: ${hold.note}`}` : '',
      quarantined: quarantined.length,
      frozen,
      frozenNote: heldReason,
      answering: [...new Set(replicas.map(({ answering }) => answering).filter((version) => version))],
      attention: [
        ...this.loop.attention(view),
        ...fallenBack(replicas),
        ...(quarantined.length ? [`labels are set aside (${quarantined.length}): driftloop quarantine`] : []),
        ...inWords(await this.rows.repeated(series), now),
        ...(await this.attention(view, cycles)),
      ],
    };
  }

  /** How many predictions of a model came under ids that other questions have. */
  async repeatedIds(series: string): Promise<number> {
    return (await this.rows.repeated(series))?.count ?? 0;
  }

  async cycles(tenant: string, model: string): Promise<Cycle[]> {
    const series = `${tenant}/${model}`;
    const view = await this.declared(series, model);
    return (await this.documents.cyclesOf(series)).map((cycle) => cycleMessage(cycle, view, this.loop.now));
  }

  /** The one cycle of a tenant whose id begins so. Throws UNKNOWN_CYCLE, CYCLE_AMBIGUOUS, CYCLE_PREFIX_TOO_SHORT. */
  async cycle(tenant: string, beginning: string): Promise<Cycle> {
    const doc = await this.cycleDocument(tenant, beginning);
    return cycleMessage(doc, await this.facts.viewOf(doc.series), this.loop.now);
  }

  /** As `cycle`, but as it is kept. */
  async cycleDocument(tenant: string, beginning: string): Promise<CycleDocument> {
    if (!/^[0-9a-f]{4,64}$/.test(beginning)) throw errors.CYCLE_PREFIX_TOO_SHORT({ cycle: beginning.slice(0, 80) });
    const found = await this.documents.cyclesLike(tenant, beginning);
    if (!found.length) throw errors.UNKNOWN_CYCLE({ cycle: beginning });
    if (found.length > 1) throw errors.CYCLE_AMBIGUOUS({ cycle: beginning });
    return found[0];
  }

  /** Whether the breaker of a model is open. Throws UNKNOWN_MODEL. */
  async isBroken(series: string, model: string): Promise<boolean> {
    const view = await this.declared(series, model);
    const said = await this.documents.signalsOf(series);
    return attentionOf(view, await this.documents.cyclesOf(series), said) !== undefined;
  }

  /** Whether a person has paused a model's loop. */
  async isPaused(series: string): Promise<boolean> {
    return (await this.holds.last(series))?.paused ?? false;
  }

  /** Throws UNKNOWN_MODEL where nothing is declared by this name, MODEL_SET_ASIDE where it cannot be read. */
  async declared(series: string, model: string): Promise<ModelView> {
    const view = await this.facts.viewOf(series);
    const [fault] = view.faults.values();
    if (fault) throw errors.MODEL_SET_ASIDE({ model, reason: faultInWords(fault) });
    if (!view.ready) throw errors.UNKNOWN_MODEL({ model });
    return view;
  }

  /** What a person should look at. */
  private async attention(view: ModelView, cycles: readonly CycleDocument[]): Promise<string[]> {
    const said = await this.documents.signalsOf(view.series);
    const broken = attentionOf(view, cycles, said);
    const sources = await this.documents.sourcesOf(view.series);
    const ahead = sourcesAhead(view, sources, (await this.documents.clock())?.now);
    return [...(broken ? [broken] : []), ...ahead, ...silentSources(view.series, sources)];
  }

  private async fresh(view: ModelView): Promise<number> {
    if (view.training) return this.days.labelsKnownAfter(view.series, view.training.cutoff);
    const closed = (await this.days.last(view.series, 1)).at(-1);
    const open = await this.rows.countLabelsFrom(view.labels, closed ? closed.day + dayMs : Number.MIN_SAFE_INTEGER);
    return (await this.days.labelsKnownAfter(view.series, Number.MIN_SAFE_INTEGER)) + open;
  }
}

function inWords(repeated: RepeatedIds | undefined, now: number): string[] {
  if (!repeated || repeated.time < now - repeatedShownMs) return [];
  const { count, id, time } = repeated;
  const last = `the last "${id.replaceAll('\u001f', '/')}" at ${new Date(time).toISOString()}`;
  return [
    `${count} predictions came under ids of other questions, ${last}: each counts, but give each request its own id`,
  ];
}

const summary = ({ day, predictions, labelled, censored, versions, late }: DayDocument) => ({
  day: new Date(day),
  predictions,
  labelled,
  censored: censored ?? 0,
  late: late ?? 0,
  versions: versions.map(({ clippedLossNano: _clipped, ...sums }) => sums),
});

function cycleMessage(doc: CycleDocument, view: ModelView, now: number): Cycle {
  return Cycle.fromPartial({
    cycleId: doc._id,
    ...{ model: doc.model, number: doc.number, stage: doc.stage, outcome: doc.outcome, reasons: doc.reasons },
    ...{ signal: doc.signal, champion: doc.champion, version: doc.version },
    opened: new Date(doc.opened),
    closed: doc.closed === null ? undefined : new Date(doc.closed),
    deadline: new Date(deadlineOf(view, doc, doc.closed ?? now)),
    spans: spanMessages(doc.spans),
    traceId: cycleTraceId(doc._id),
    steps: doc.steps.map(({ time, service, what, decision }) => ({
      eventTime: new Date(time),
      service,
      what,
      decision: decision === undefined ? undefined : Decision.fromJSON(decision),
    })),
  });
}
