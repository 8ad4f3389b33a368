/** Hears which labels models declare, how an outcome can contradict itself, and when its question is asked. */
import { durationMs, events, labelName, type ModelDeclared, parseModelSpec } from '@driftloop/contracts';
import { ConsumerGroup, When } from '@driftloop/service';
import { LabelingDocuments } from './labeling.documents.js';

@ConsumerGroup('labeling.when-model-declared')
export class WhenModelDeclared {
  constructor(private readonly documents: LabelingDocuments) {}

  @When(events.modelDeclared)
  async keepLabel({ tenant, revision, specJson }: ModelDeclared): Promise<void> {
    const spec = parseModelSpec(specJson);
    const label = labelName(spec);
    const { question, monitoring } = spec.spec;
    const { consistency } = spec.spec.label;
    const times = { leadMs: durationMs(question.lead), silenceMs: durationMs(monitoring.silence) };
    const _id = `${tenant}/${label}`;
    await this.documents.declare({ _id, tenant, label, specRevision: revision, consistency, ...times });
  }
}
