/** Keeps each declared spec: a job is run under the revision that was newest when it was requested. */
import { events, type ModelDeclared } from '@driftloop/contracts';
import { ConsumerGroup, When } from '@driftloop/service';
import { TrainingDocuments } from './training.documents.js';

@ConsumerGroup('training.when-model-declared')
export class WhenModelDeclared {
  constructor(private readonly documents: TrainingDocuments) {}

  @When(events.modelDeclared)
  async keepSpec({ tenant, model, revision, specJson, specSha256 }: ModelDeclared): Promise<void> {
    const _id = `${tenant}/${model}/${revision}`;
    const spec = { _id, tenant, model, revision, specJson, specSha256 };
    await this.documents.specs.updateOne({ _id }, { $setOnInsert: spec }, { upsert: true });
  }
}
