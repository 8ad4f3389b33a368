/**
 * Declaring a model: `apply` is idempotent, and each of its steps can be repeated after a crash.
 *
 * The first declaration registers v0, a graph that answers with the declared prior, as champion, so that serving
 * answers from the first minute.
 *
 * I1  A spec is opened before it is kept: read, its columns laid out, its graph built. What fails is refused, and nothing is kept.
 * I2  So is what reads well and fails later, at a training or in a signal; a spec that is kept already stays good.
 */
import {
  type ApplyReply,
  canonicalJson,
  canonicalSpec,
  events,
  ModelDeclared,
  type ModelSpec,
  ModelTrained,
  parseModelSpec,
  parseNewModelSpec,
} from '@driftloop/contracts';
import { type Cause, emission, Outbox } from '@driftloop/documents';
import { Objects } from '@driftloop/objects';
import { constantPriorGraph } from '@driftloop/onnx';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { type ModelDocument, RegistryDocuments } from './registry.documents.js';
import { Rollouts } from './rollouts.js';
import { Versions } from './versions.js';

@Injectable()
export class Declarations {
  constructor(
    private readonly documents: RegistryDocuments,
    private readonly versions: Versions,
    private readonly rollouts: Rollouts,
    private readonly objects: Objects,
    private readonly outbox: Outbox,
  ) {}

  /** Declares or changes a model at an event time. Throws SPEC_INVALID, or CHANGED_TOO_MUCH. */
  async apply(text: string, cause: Cause): Promise<ApplyReply> {
    const spec = parseModelSpec(text);
    const { tenant } = cause;
    const model = spec.metadata.name;
    const { json, sha256 } = canonicalSpec(spec);
    constantPriorGraph(parseModelSpec(json)); // I1
    const known = await this.documents.models.findById(`${tenant}/${model}`).lean();
    if (known?.specSha256 === sha256) {
      await this.ensureFirstVersion(spec, known.revision, cause);
      return { model, revision: known.revision, changed: false };
    }
    parseNewModelSpec(text); // I2
    // A process of old may have died between a blank document and its declaration.
    if (known?.specJson) refuseIncompatible(JSON.parse(known.specJson) as ModelSpec, spec);
    const revision = (known?.revision ?? 0) + 1;
    const declared = ModelDeclared.fromPartial({ tenant, model, revision, specJson: json, specSha256: sha256 });
    if (known) await this.change(declared, cause);
    else await this.begin(declared, cause);
    await this.ensureFirstVersion(spec, revision, cause);
    return { model, revision, changed: true };
  }

  /** The first declaration: the document, the spec and what tells of it in one write. */
  private async begin(declared: ModelDeclared, cause: Cause): Promise<void> {
    const told = [emission(events.modelDeclared, declared, cause.time)];
    try {
      await this.outbox.save(new this.documents.models(documentOf(declared)), told, causeOf(declared, cause));
    } catch (error) {
      throw (error as { code?: unknown }).code === 11_000 ? moved(declared) : error;
    }
  }

  private async change(declared: ModelDeclared, cause: Cause): Promise<void> {
    const { _id, revision, specJson, specSha256 } = documentOf(declared);
    const told = [emission(events.modelDeclared, declared, cause.time)];
    const written = await this.outbox.update(
      this.documents.models,
      { _id, revision: revision - 1 },
      { $set: { revision, specJson, specSha256 } },
      told,
      causeOf(declared, cause),
    );
    if (!written) throw moved(declared);
  }

  private async ensureFirstVersion(spec: ModelSpec, specRevision: number, cause: Cause): Promise<void> {
    const model = spec.metadata.name;
    if (await this.rollouts.find(cause.tenant, model)) return;
    const bytes = constantPriorGraph(spec);
    const stored = await this.objects.put(`${cause.tenant}/models/${model}/v0.onnx`, bytes);
    const artifact = { uri: stored.key, sha256: stored.sha256, bytes: stored.bytes };
    const trained = ModelTrained.fromPartial({
      tenant: cause.tenant,
      model,
      purpose: 'prior',
      eventTime: new Date(cause.time),
      released: artifact,
      twin: artifact,
      lineage: { specRevision, recipeJson: '{}' } as never,
    });
    await this.versions.add(trained, 0, 'champion');
    await this.rollouts.begin(cause, model, { version: 'v0', artifact, specRevision });
  }
}

const documentOf = ({ tenant, model, revision, specJson, specSha256 }: ModelDeclared): ModelDocument => ({
  _id: `${tenant}/${model}`,
  ...{ tenant, model, revision, specJson, specSha256 },
});

const causeOf = ({ tenant, model, revision }: ModelDeclared, cause: Cause): Cause => ({
  ...cause,
  id: `${tenant}/${model}/declared/${revision}`,
});

const moved = ({ revision }: ModelDeclared): Error =>
  errors.ALIAS_MOVED({ alias: 'spec revision', expected: `${revision - 1}`, found: 'a newer one' });

/** What served versions are built on cannot change under them. `was` as it is kept: it may be one that no longer opens. */
function refuseIncompatible(was: ModelSpec, wanted: ModelSpec): void {
  const fields: [string, (s: ModelSpec) => unknown][] = [
    ['spec.entity.time', (s) => s.spec?.entity?.time],
    ['spec.question.lead', (s) => s.spec?.question?.lead],
    ['spec.cohort.startsAt', (s) => s.spec?.cohort?.startsAt],
    ['spec.label.name', (s) => s.spec?.label?.name],
    ['spec.features', (s) => s.spec?.features],
  ];
  for (const [field, of] of fields) {
    const [before, after] = [canonicalJson(of(was)), canonicalJson(of(wanted))];
    if (before !== undefined && before !== after)
      throw errors.CHANGED_TOO_MUCH({ field, was: before.slice(0, 200), wanted: after.slice(0, 200) });
  }
}
