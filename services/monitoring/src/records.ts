/** What is heard in bulk, as rows: predictions, labels, how far sources have come. Recorded, never decided upon here. */
import { createHash } from 'node:crypto';
import {
  Arm,
  type FeaturesIngested,
  type Label,
  type LabelsAdded,
  type Prediction,
  type PredictionsMade,
  watermarkGrainMs,
} from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { packNumbers } from './cells.js';
import { Heard } from './heard.documents.js';
import { LoopDocuments } from './loop.documents.js';
import { type LabelRow, type PredictionRow, Rows } from './rows.documents.js';
import { entityKey } from './truth.js';

@Injectable()
export class Records {
  private readonly layouts = new Set<string>();
  private readonly watermarks = new Map<string, number>();

  constructor(
    private readonly rows: Rows,
    private readonly documents: LoopDocuments,
    private readonly heard: Heard,
  ) {}

  async predictions(made: PredictionsMade, cause: Cause): Promise<void> {
    if (await this.heard.before(cause)) return;
    const series = `${made.tenant}/${made.model}`;
    const layout = await this.layoutOf(made);
    await this.rows.addPredictions(
      series,
      made.predictions.map((prediction) => predictionRow(series, layout, prediction)),
    );
    await this.heard.mark(cause);
  }

  async labels({ tenant, label, labels }: LabelsAdded, cause: Cause): Promise<void> {
    if (await this.heard.before(cause)) return;
    const series = `${tenant}/${label}`;
    await this.rows.addLabels(labels.map((one) => labelRow(series, one)));
    await this.heard.mark(cause);
  }

  /** A watermark only goes on, unless a person has taken it back: then what is told holds, or the source has never spoken. */
  async ingested({ tenant, model, source, watermark, withdrawn }: FeaturesIngested): Promise<void> {
    const series = `${tenant}/${model}`;
    const _id = `${series}/${source}`;
    if (!watermark) {
      if (withdrawn) await this.documents.sources.deleteOne({ _id });
      if (withdrawn) this.watermarks.delete(_id);
      return;
    }
    const reached = Math.floor(watermark.getTime() / watermarkGrainMs) * watermarkGrainMs;
    // Told again and again within its grain. What is lower than that may follow a withdrawal that another replica has heard.
    if (!withdrawn && reached === this.watermarks.get(_id)) return;
    const change = withdrawn ? { $set: { watermark: reached } } : { $max: { watermark: reached } };
    await this.documents.sources.updateOne({ _id }, { $setOnInsert: { series }, ...change }, { upsert: true });
    this.watermarks.set(_id, reached);
  }

  private async layoutOf({ numberFeatures: numbers, textFeatures: texts }: PredictionsMade): Promise<string> {
    const _id = createHash('sha256')
      .update(JSON.stringify([numbers, texts]))
      .digest('hex')
      .slice(0, 16);
    if (this.layouts.has(_id)) return _id;
    await this.rows.addLayout({ _id, numbers, texts });
    this.layouts.add(_id);
    return _id;
  }
}

const finite = (probability: number): number | null => (Number.isFinite(probability) ? probability : null);

function predictionRow(series: string, layout: string, prediction: Prediction): PredictionRow {
  const { id, entityId, entityTime, eventTime, version, probability, arm, shadows } = prediction;
  return {
    _id: `${series}/${id}`,
    series,
    entityId,
    entityTime: entityTime!.getTime(),
    eventTime: eventTime!.getTime(),
    version,
    probability: finite(probability),
    canary: arm === Arm.CANARY,
    shadows: shadows.map((shadow) => ({
      version: shadow.version,
      probability: shadow.error ? null : finite(shadow.probability),
    })),
    layout,
    numbers: packNumbers(prediction.numbers),
    texts: prediction.texts,
    imputed: prediction.imputed.length,
    latencyMs: prediction.latencyMs,
    error: prediction.error,
    question: prediction.question,
  };
}

function labelRow(series: string, { entityId, entityTime, knownAt, value, revision, source }: Label): LabelRow {
  const time = entityTime!.getTime();
  return {
    _id: `${series}/${entityKey(entityId, time)}`,
    series,
    entityId,
    entityTime: time,
    revisions: [{ knownAt: knownAt!.getTime(), value, revision, source }],
  };
}
