/** Hears which labels models declare, and how an outcome can contradict itself. */
import { events, labelName, type ModelDeclared, parseModelSpec } from '@driftloop/contracts';
import { ConsumerGroup, When } from '@driftloop/service';
import { LabelingDocuments } from './labeling.documents.js';

@ConsumerGroup('labeling.when-model-declared')
export class WhenModelDeclared {
  constructor(private readonly documents: LabelingDocuments) {}

  @When(events.modelDeclared)
  async keepLabel({ tenant, revision, specJson }: ModelDeclared): Promise<void> {
    const spec = parseModelSpec(specJson);
    const label = labelName(spec);
    const { consistency } = spec.spec.label;
    await this.documents.declare({ _id: `${tenant}/${label}`, tenant, label, specRevision: revision, consistency });
  }
}
