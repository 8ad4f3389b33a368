/**
 * The cycle: one signal, one cycle, one outcome. Opened by the policy, moved on by what the other services say, judged,
 * and closed with reasons, at the latest by a deadline of its stage.
 *
 * I1  A cycle's document and what is told of it are one write, caused by the cycle and its step alone: made again
 *     after a crash, it has the same ids.
 * I2  A step is recorded once, by its id; a closed cycle's outcome stands, later steps are only recorded.
 * I3  The spans of its trace are rows beside the steps, in the same write; they are sent once that has been made.
 */
import {
  CycleClosed,
  type CycleSpan,
  Decision,
  decision,
  durationMs,
  events,
  QuarantineWindow,
  RetrainingRequested,
  RolloutJudged,
  Stage,
  Verdict,
} from '@driftloop/contracts';
import { type Cause, type Emission, emission, Outbox } from '@driftloop/documents';
import { type CycleAct, CycleSpans, Metrics, openedStep } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import type { HydratedDocument } from 'mongoose';
import { type CycleMove, moveOf } from './cycle-moves.js';
import type { Judgement, Standing } from './judgement.js';
import { LoopDocuments } from './loop.documents.js';
import type { CycleDocument, CycleStepRow, FactDocument } from './loop-rows.js';
import type { Tick } from './memory.js';
import type { Opening } from './policy.js';
import { spansOf, withSpans } from './spans.js';
import type { ModelView } from './view.js';

type Cycle = HydratedDocument<CycleDocument>;

@Injectable()
export class Cycles {
  /** Spans of a document that is not saved yet. */
  private readonly unsent = new WeakMap<Cycle, CycleSpan[]>();

  constructor(
    private readonly documents: LoopDocuments,
    private readonly outbox: Outbox,
    private readonly spans: CycleSpans,
    private readonly metrics: Metrics,
  ) {}

  /** The open cycle of a model. */
  async openOf(series: string): Promise<CycleDocument | undefined> {
    return (await this.documents.cyclesOf(series)).find((cycle) => cycle.stage !== 'closed');
  }

  async open(view: ModelView, opening: Opening, now: number, cause: Cause): Promise<void> {
    if (await this.documents.cycles.exists({ _id: opening.cycleId })) return;
    const { cycleId, number, attempt, purpose, signal, due, quarantined } = opening;
    const { tenant, series, model, champion } = view;
    const doc = new this.documents.cycles({
      ...{ _id: cycleId, tenant, series, model, number, attempt, purpose, signal, champion, due },
      ...{ opened: now, cutoff: now, stage: 'training', deadline: now + deadline(view, 'training') },
      ...{ outcome: '', reasons: [], version: '', closed: null, rolloutId: '', stageSince: null, judged: [] },
      quarantined: quarantined.map((window) => QuarantineWindow.toJSON(window)),
      specRevision: view.specRevision,
      steps: [ownStep(opening.decision, `opened by ${signal}`)],
      spans: [],
    });
    const attributes = { 'driftloop.signal': signal, 'driftloop.champion': champion, 'driftloop.purpose': purpose };
    const span = this.note(doc, { step: openedStep.step, attributes, decision: opening.decision }, now, cause);
    const request = RetrainingRequested.fromPartial({
      ...{ tenant, model, cycleId, champion, purpose, attempt, quarantined },
      rolloutRevision: view.rollout.revision,
      knowledgeCutoff: new Date(now),
      due: new Date(due),
      decision: opening.decision,
      span,
    });
    const own = { ...cause, tenant, id: `${cycleId}/opened` };
    await this.save(doc, [emission(events.retrainingRequested, request, now)], own);
  }

  /** Moves the cycle that a fact belongs to, at the tick that acts on it. */
  async follow(view: ModelView, fact: FactDocument, { now, replay }: Tick, cause: Cause): Promise<void> {
    const move = moveOf(view, fact);
    const doc = move && (await this.documents.cycle(move.cycleId));
    if (!doc || doc.steps.some((step) => step.id === fact._id)) return;
    const { what, service, decision: said } = move;
    const step: CycleStepRow = { id: fact._id, time: fact.time, service, what };
    doc.steps = [...doc.steps, { ...step, ...(said && { decision: Decision.toJSON(said) }) }];
    doc.spans = withSpans(doc._id, doc.spans, spansOf(fact));
    const emit: Emission[] = [];
    const own = { ...cause, tenant: view.tenant, id: `${doc._id}/${fact._id}` };
    if (doc.stage === 'closed') {
      if (move.onTrial) emit.push(this.judgement(doc, move.rolloutId!, move.onTrial, orphaned(doc), now, own));
      return this.save(doc, emit, own);
    }
    // Any replica's failure ends a trial, and ends it once.
    if (move.failure && !isWithdrawn(doc))
      emit.push(this.judgement(doc, move.rolloutId!, move.failure.stage, move.failure, now, own));
    doc.set(fieldsOf(view, doc, replay ? move : notBefore(move, now)));
    if (move.outcome) emit.push(this.end(doc, move.outcome.name, move.outcome.reasons, fact.time, own));
    await this.save(doc, emit, own);
  }

  /** Records and tells the judge's word on the present stage. */
  async judge(cycle: CycleDocument, judged: Judgement, now: number, cause: Cause): Promise<void> {
    const doc = await this.documents.cycle(cycle._id);
    if (!doc || doc.stage === 'closed') return;
    const times = doc.judged.filter((stage) => stage === doc.stage).length;
    // Once, and once more where harm comes while a promotion waits for a thaw.
    if (times > 1 || (times === 1 && judged.verdict !== Verdict.ROLL_BACK)) return;
    const stage = doc.stage === 'canary' ? Stage.CANARY : Stage.SHADOW;
    const told = this.judgement(doc, doc.rolloutId, stage, judged, now, cause);
    await this.save(doc, [told], {
      ...cause,
      tenant: doc.tenant,
      id: `${doc._id}/judged/${doc.stage}${times ? '/harm' : ''}`,
    });
  }

  /** Ends a cycle whose stage has outlived its deadline, and withdraws what is on trial. */
  async expire(cycle: CycleDocument, { lacks, evidence }: Omit<Standing, 'judgement'>, now: number, cause: Cause) {
    const doc = await this.documents.cycle(cycle._id);
    if (!doc || doc.stage === 'closed') return;
    const late = `${doc.stage} was not over by ${new Date(doc.deadline).toISOString()}`;
    const reasons = [late, ...lacks];
    const emit: Emission[] = [];
    if (doc.stage === 'shadow' || doc.stage === 'canary') {
      const stage = doc.stage === 'canary' ? Stage.CANARY : Stage.SHADOW;
      const withdrawn = { verdict: Verdict.ROLL_BACK, reasons, evidence };
      emit.push(this.judgement(doc, doc.rolloutId, stage, withdrawn, now, cause));
    }
    emit.push(this.end(doc, 'expired', reasons, now, cause));
    await this.save(doc, emit, { ...cause, tenant: doc.tenant, id: `${doc._id}/expired` });
  }

  private judgement(
    doc: Cycle,
    rolloutId: string,
    stage: Stage,
    judged: Judgement,
    time: number,
    cause: Cause,
  ): Emission {
    const outcome = judged.verdict.replace('VERDICT_', '').toLowerCase();
    const subject = `${doc._id}/${stage}`;
    const { reasons, evidence } = judged;
    const said = decision({ kind: 'judgement', outcome, subject, time, reasons, evidence });
    doc.steps = [...doc.steps, ownStep(said, `${outcome.replace('_', ' ')}: ${reasons[0] ?? ''}`)];
    const [stageName, name] =
      stage === Stage.CANARY ? (['canary', 'canary checked'] as const) : (['shadow', 'shadow judged'] as const);
    const times = doc.judged.filter((one) => one === stageName).length + 1;
    doc.judged = [...doc.judged, stageName];
    const { tenant, model, version } = doc;
    const attributes = { 'driftloop.stage': stageName, 'driftloop.version': version };
    const span = this.note(doc, { step: `${name} ${times}`, name, attributes, decision: said }, time, cause);
    const payload = { tenant, model, rolloutId, cycleId: doc._id, version, stage, verdict: judged.verdict };
    return emission(events.rolloutJudged, RolloutJudged.fromPartial({ ...payload, decision: said, span }), time);
  }

  private end(doc: Cycle, outcome: CycleDocument['outcome'], reasons: string[], time: number, cause: Cause): Emission {
    const said = decision({ kind: 'cycle.closed', outcome, subject: doc._id, time, reasons });
    Object.assign(doc, { stage: 'closed', outcome, reasons, closed: time });
    doc.steps = [...doc.steps, ownStep(said, `closed: ${outcome}`)];
    const { tenant, model, version } = doc;
    const attributes = { 'driftloop.outcome': outcome, 'driftloop.version': version };
    const failure = outcome === 'failed' ? { error: reasons.join('; ') } : {};
    const span = this.note(doc, { step: 'cycle closed', attributes, decision: said, ...failure }, time, cause);
    const lasted = { opened: new Date(doc.opened), closed: new Date(time) };
    const payload = { tenant, model, cycleId: doc._id, outcome, ...lasted, version, decision: said, span };
    return emission(events.cycleClosed, CycleClosed.fromPartial(payload), time);
  }

  /** Adds the span of a step of monitoring's own to a cycle's rows. */
  private note(
    doc: Cycle,
    act: Pick<CycleAct, 'step' | 'name' | 'attributes' | 'decision' | 'error'>,
    eventTime: number,
    { traceparent }: Cause,
  ): CycleSpan | undefined {
    const attributes = { 'driftloop.tenant': doc.tenant, 'driftloop.model': doc.model, ...act.attributes };
    const span = this.spans.row({ ...act, attributes, cycleId: doc._id, eventTime, links: [traceparent] });
    doc.spans = withSpans(doc._id, doc.spans, [span]);
    this.unsent.set(doc, [...(this.unsent.get(doc) ?? []), ...(span ? [span] : [])]);
    return span;
  }

  /** I3 */
  private async save(doc: Cycle, emit: readonly Emission[], cause: Cause): Promise<void> {
    await this.outbox.save(doc, emit, cause);
    this.spans.send(...(this.unsent.get(doc) ?? []));
    this.unsent.delete(doc);
    if (this.metrics.enabled && emit.some(({ definition }) => definition === events.cycleClosed)) this.measure(doc);
  }

  private measure({ model, outcome, opened, closed }: Cycle): void {
    const labels = { 'driftloop.model': model, 'driftloop.outcome': outcome };
    this.metrics.histogram('driftloop.cycle.duration').record(((closed ?? opened) - opened) / 1000, labels);
  }
}

const ownStep = (said: Decision, what: string): CycleStepRow => ({
  id: said.id,
  time: said.eventTime!.getTime(),
  service: 'monitoring',
  what,
  decision: Decision.toJSON(said),
});

/** Whether the judge has taken what is on trial back. */
export const isWithdrawn = ({ steps }: Pick<CycleDocument, 'steps'>): boolean =>
  steps.some(({ decision }) => (decision as Decision | undefined)?.outcome === 'roll_back');

const orphaned = (doc: CycleDocument): Judgement => ({
  verdict: Verdict.ROLL_BACK,
  reasons: [`its cycle is closed already: ${doc.outcome}`],
  evidence: [],
});

const deadline = (view: ModelView, stage: 'training' | 'gate' | 'shadow' | 'canary'): number =>
  durationMs(view.spec.retraining.deadlines[stage]);

/**
 * A training's result is dated by when it was due. Live it may come later than that, and what has not begun by then cannot
 * have run out: the gate's time counts from the tick that hears of it. (In a replay the tick waits for it.)
 */
const notBefore = (move: CycleMove, now: number): CycleMove =>
  move.stage?.name === 'gate' ? { ...move, stage: { name: 'gate', since: Math.max(move.stage.since, now) } } : move;

/** What a move sets: a stage with its deadline, counted from when it began. */
function fieldsOf(
  view: ModelView,
  doc: CycleDocument,
  { stage, version, rolloutId }: CycleMove,
): Partial<CycleDocument> {
  const fields = { ...(version && { version }), ...(rolloutId && { rolloutId }) };
  if (!stage || stage.name === doc.stage) return fields;
  const stageSince = stage.since;
  return { ...fields, stage: stage.name, stageSince, deadline: stageSince + deadline(view, stage.name) };
}
