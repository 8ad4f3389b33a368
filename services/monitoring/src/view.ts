/**
 * What a tick knows of a model: its spec, who answered when, what its champions were trained on. Folded from facts,
 * so that it can be rebuilt at any time.
 *
 * I1  A tick acts on the facts that had happened by the tick before it. What other services say at a tick (of that
 *     time, or of a time since the one before) may be heard before or after monitoring's own handler of it; either way
 *     monitoring acts on it at the next.
 */
import { type DiagnosisReference, type MeanLoss, meanLoss, type ReferenceHistogram } from '@driftloop/algorithms';
import {
  durationMs,
  featureColumns,
  labelName,
  ModelDeclared,
  ModelPromoted,
  type ModelSpec,
  ModelTrained,
  parseModelSpec,
  type Rollout,
  RolloutChanged,
  Stage,
} from '@driftloop/contracts';
import type { FactDocument } from './loop-rows.js';

/** What a version that was promoted had been trained on. */
export interface Promotion {
  version: string;
  cycleId: string;
  datasetRows: number;
  /** Epoch ms. */
  cutoff: number;
  time: number;
  histograms: Readonly<Record<string, ReferenceHistogram>>;
  /** What tells a movement from chance; undefined for versions that were trained without. */
  diagnosis: DiagnosisReference | undefined;
}

/** Durations of a spec in ms, read once. */
export interface Timing {
  readonly lead: number;
  readonly closing: number;
  readonly censoring: number;
  readonly window: number;
}

const day = 86_400_000;

export class ModelView {
  readonly tenant: string;
  readonly model: string;
  private declared: { revision: number; spec: ModelSpec } | undefined;
  private timings: Timing | undefined;
  private looked: ReadonlyMap<string, number> | undefined;
  /** By effective time, then revision. */
  private rollouts: Rollout[] = [];
  /** What could not be folded, by topic: with any of it the model is set aside. A declaration that can be read ends its own. */
  readonly faults = new Map<string, unknown>();
  readonly promotions = new Map<string, Promotion>();
  /** Loss of a cycle's twin on its embargoed days, by cycle. */
  readonly twinLoss = new Map<string, MeanLoss>();

  constructor(readonly series: string) {
    const slash = series.indexOf('/');
    this.tenant = series.slice(0, slash);
    this.model = series.slice(slash + 1);
  }

  /** Takes a fact in; the same one again changes nothing. One that cannot be read sets the model aside, and no other. */
  fold(fact: FactDocument): void {
    try {
      this.take(fact);
    } catch (error) {
      this.faults.set(fact.topic, error);
    }
  }

  private take({ topic, payload, time }: FactDocument): void {
    if (topic === 'model.declared') this.declare(ModelDeclared.fromJSON(JSON.parse(payload)));
    if (topic === 'rollout.changed') this.roll(RolloutChanged.fromJSON(JSON.parse(payload)).rollout);
    if (topic === 'model.promoted') this.promote(ModelPromoted.fromJSON(JSON.parse(payload)), time);
    if (topic === 'model.trained') this.train(ModelTrained.fromJSON(JSON.parse(payload)));
  }

  /** Whether there is enough to watch: a spec and a champion. */
  get ready(): boolean {
    return this.faults.size === 0 && this.declared !== undefined && this.rollouts.length > 0;
  }

  get spec(): ModelSpec['spec'] {
    return this.declared!.spec.spec;
  }

  get whole(): ModelSpec {
    return this.declared!.spec;
  }

  get specRevision(): number {
    return this.declared!.revision;
  }

  /** tenant/label */
  get labels(): string {
    return `${this.tenant}/${labelName(this.whole)}`;
  }

  get timing(): Timing {
    this.timings ??= {
      lead: durationMs(this.spec.question.lead),
      closing: day + durationMs(this.spec.label.closeAfter),
      censoring: day + durationMs(this.spec.label.censorAfter),
      window: Math.max(1, Math.round(durationMs(this.spec.monitoring.window) / day)),
    };
    return this.timings;
  }

  /** How far each feature that looks back does so, ms. */
  get lookBack(): ReadonlyMap<string, number> {
    this.looked ??= new Map(featureColumns(this.whole).flatMap((f) => ('windowMs' in f ? [[f.name, f.windowMs]] : [])));
    return this.looked;
  }

  /** The rollout of the highest revision. */
  get rollout(): Rollout {
    return this.rollouts.reduce((a, b) => (b.revision > a.revision ? b : a));
  }

  /** Since when the trial of a cycle was in each stage, epoch ms, and its share as canary, percent. */
  stagesOf(cycleId: string): { shadow?: { since: number }; canary?: { since: number; percent: number } } {
    const own = this.rollouts.filter((rollout) => rollout.cycleId === cycleId);
    const shadow = own.find(({ stage }) => stage === Stage.SHADOW);
    const canary = own.find(({ stage }) => stage === Stage.CANARY);
    return {
      ...(shadow && { shadow: { since: effectiveMs(shadow) } }),
      ...(canary && { canary: { since: effectiveMs(canary), percent: canary.canaryPercent } }),
    };
  }

  /** For how long of a stretch of event time the champion was frozen, ms. */
  heldMs(from: number, to: number): number {
    return this.rollouts.reduce((sum, rollout, i) => {
      if (!rollout.held) return sum;
      const end = i + 1 < this.rollouts.length ? effectiveMs(this.rollouts[i + 1]) : to;
      return sum + Math.max(0, Math.min(end, to) - Math.max(effectiveMs(rollout), from));
    }, 0);
  }

  get champion(): string {
    return this.rollout.champion?.version ?? '';
  }

  /** What the present champion was trained on; undefined for the constant prior, which no training made. */
  get training(): Promotion | undefined {
    return this.promotions.get(this.champion);
  }

  /** The rollout that questions asked at an event time followed: what a tick changes holds for those asked after it. */
  rolloutAt(time: number): Rollout {
    let found = this.rollouts[0];
    for (const rollout of this.rollouts) {
      if (effectiveMs(rollout) >= time) break;
      found = rollout;
    }
    return found;
  }

  private declare({ revision, specJson }: ModelDeclared): void {
    if (this.declared && this.declared.revision >= revision) return;
    this.declared = { revision, spec: parseModelSpec(specJson) };
    this.faults.delete('model.declared');
    this.timings = undefined;
    this.looked = undefined;
  }

  private roll(rollout: Rollout | undefined): void {
    if (!rollout || this.rollouts.some((known) => known.revision === rollout.revision)) return;
    const order = (a: Rollout, b: Rollout) => effectiveMs(a) - effectiveMs(b) || a.revision - b.revision;
    this.rollouts = [...this.rollouts, rollout].sort(order);
  }

  private promote(promoted: ModelPromoted, time: number): void {
    const { version, cycleId, datasetRows, knowledgeCutoff, reference } = promoted;
    if (!datasetRows || !knowledgeCutoff) return;
    const histograms = reference?.histogramsJson ? JSON.parse(reference.histogramsJson) : {};
    const diagnosis = reference?.diagnosisJson ? JSON.parse(reference.diagnosisJson) : undefined;
    const cutoff = knowledgeCutoff.getTime();
    this.promotions.set(version, { version, cycleId, datasetRows, cutoff, time, histograms, diagnosis });
  }

  private train({ cycleId, comparison }: ModelTrained): void {
    const days = (comparison?.days ?? []).map((score) => ({
      day: score.day!.toISOString(),
      rows: score.rows,
      sum: score.challengerLossNano,
    }));
    this.twinLoss.set(cycleId, meanLoss(days));
  }
}

export const effectiveMs = (rollout: Rollout): number => rollout.effective?.getTime() ?? 0;
