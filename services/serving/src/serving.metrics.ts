/** What serving tells of itself: how long answers take, by model, version and arm, and its queues. */
import { Arm } from '@driftloop/contracts';
import { errorTypeOf, Metrics } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import type { Answer } from './inference.js';
import { OnlineStore, onlineLimit } from './online-store.js';
import { logCapacity, PredictionLog } from './prediction-log.js';
import { Scorer, scorerLimit } from './scorer.js';
import { ServedModels } from './served-models.js';

@Injectable()
export class ServingMetrics {
  constructor(
    private readonly metrics: Metrics,
    log: PredictionLog,
    scorer: Scorer,
    store: OnlineStore,
    models: ServedModels,
  ) {
    metrics.queue('prediction log', logCapacity, () => log.state);
    metrics.queue('rows to score', scorerLimit, () => scorer.state);
    metrics.queue('questions to the feature store', onlineLimit, () => store.state);
    metrics.observe('driftloop.rollout.unserved', async () =>
      models.all().map((model) => {
        const lack = models.lackOf(model);
        const labels = { 'driftloop.model': model.model, 'driftloop.version': lack?.version ?? '' };
        return { value: lack ? 1 : 0, labels };
      }),
    );
  }

  /** Answers a request, and counts how long that took. */
  async timed<R>(model: string, answer: () => Promise<[Answer, R]>): Promise<R> {
    if (!this.metrics.enabled) return (await answer())[1];
    const started = performance.now();
    const duration = this.metrics.histogram('driftloop.prediction.duration');
    const labels = { 'driftloop.model': model };
    try {
      const [{ version, arm }, response] = await answer();
      const by = { 'driftloop.version': version, 'driftloop.arm': armName(arm) };
      duration.record((performance.now() - started) / 1000, { ...labels, ...by });
      return response;
    } catch (error) {
      duration.record((performance.now() - started) / 1000, { ...labels, 'error.type': errorTypeOf(error) });
      throw error;
    }
  }
}

const armName = (arm: Arm): string => String(arm).replace(/^ARM_/, '').toLowerCase();
