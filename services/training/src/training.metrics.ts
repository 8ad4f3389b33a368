/** What training tells of itself: how long trainings take, and how many wait or run. */
import { errorTypeOf, Metrics } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { type JobDocument, type JobState, TrainingDocuments } from './training.documents.js';

@Injectable()
export class TrainingMetrics {
  constructor(
    private readonly metrics: Metrics,
    documents: TrainingDocuments,
  ) {
    metrics.observe('driftloop.training.jobs', async () =>
      Promise.all(
        (['queued', 'running'] satisfies JobState[]).map(async (state) => ({
          value: await documents.jobs.countDocuments({ state }),
          labels: { 'driftloop.state': state },
        })),
      ),
    );
  }

  /** A training has ended on this worker, with an error or without. */
  ended({ model, purpose }: JobDocument, seconds: number, error?: unknown): void {
    const failed = error === undefined ? {} : { 'error.type': errorTypeOf(error) };
    const labels = { 'driftloop.model': model, 'driftloop.purpose': purpose, ...failed };
    this.metrics.histogram('driftloop.training.duration').record(seconds, labels);
  }
}
