/** Facts of the loop: recorded as they are heard, folded into views when time passes. Handlers only record. */
import type { AnyEvent, PayloadOf } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { LoopDocuments } from './loop.documents.js';
import type { FactDocument } from './loop-rows.js';
import { ModelView } from './view.js';

@Injectable()
export class Facts {
  constructor(private readonly documents: LoopDocuments) {}

  /** Records a fact once. `timeless`: it holds at any tick, whatever its event time. */
  async record<D extends AnyEvent>(
    definition: D,
    payload: PayloadOf<D> & { tenant: string; model: string },
    cause: Cause,
    timeless = false,
  ): Promise<void> {
    const fact: FactDocument = {
      _id: cause.id,
      series: `${payload.tenant}/${payload.model}`,
      topic: definition.topic,
      time: cause.time,
      timeless,
      settled: false,
      payload: JSON.stringify(definition.payload.toJSON(payload)),
    };
    await this.documents.facts.updateOne({ _id: fact._id }, { $setOnInsert: fact }, { upsert: true });
  }

  /** Views of every model as the ticks so far left them. */
  async views(): Promise<Map<string, ModelView>> {
    const views = new Map<string, ModelView>();
    for (const fact of inOrder(await this.documents.settledFacts())) viewOf(views, fact.series).fold(fact);
    return views;
  }

  /** What no tick has acted on and had happened by the tick before (view.ts, I1), in order, folded into the views. */
  async fresh(views: Map<string, ModelView>, previous = Number.NEGATIVE_INFINITY): Promise<FactDocument[]> {
    const unsettled = await this.documents.unsettledFacts();
    const facts = inOrder(unsettled).filter((fact) => fact.timeless || fact.time <= previous);
    for (const fact of facts) viewOf(views, fact.series).fold(fact);
    return facts;
  }

  async settle(facts: readonly FactDocument[]): Promise<void> {
    if (!facts.length) return;
    const _id = { $in: facts.map((fact) => fact._id) };
    await this.documents.facts.updateMany({ _id }, { $set: { settled: true } });
  }

  /** A model as all facts heard so far tell it: for questions, not for decisions. */
  async viewOf(series: string): Promise<ModelView> {
    const view = new ModelView(series);
    for (const fact of inOrder(await this.documents.factsOf(series))) view.fold(fact);
    return view;
  }
}

/** Of facts with one event time, what leads to something comes before it. */
const causalOrder = [
  'model.declared',
  'model.trained',
  'training.failed',
  'model.approved',
  'model.refused',
  'rollout.changed',
  'rollout.followed',
  'rollout.failed',
  'model.promoted',
  'model.rolled-back',
];

/** By event time, cause before effect, then id: the order in which decisions read, whatever the order of arrival. */
const inOrder = (facts: FactDocument[]): FactDocument[] =>
  facts.sort(
    (a, b) =>
      a.time - b.time || causalOrder.indexOf(a.topic) - causalOrder.indexOf(b.topic) || (a._id < b._id ? -1 : 1),
  );

function viewOf(views: Map<string, ModelView>, series: string): ModelView {
  const view = views.get(series) ?? new ModelView(series);
  views.set(series, view);
  return view;
}
