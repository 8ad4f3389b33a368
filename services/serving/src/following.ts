/**
 * Following the registry, level-triggered: whatever was missed, the highest revision wins.
 *
 * I1  A rollout takes over only when each of its graphs is loaded and its bytes have the declared hash.
 * I2  One that cannot be loaded is told (rollout.failed), and the last good one goes on answering.
 * I3  The last good state is on disk: a replica starts with the registry away.
 */
import { events, parseModelSpec, Rollout, RolloutFailed, type ServedVersion } from '@driftloop/contracts';
import { type Cause, emission, Outbox } from '@driftloop/documents';
import { Objects } from '@driftloop/objects';
import { checkInterface, inspectGraph } from '@driftloop/onnx';
import { Log } from '@driftloop/service';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { errors } from './errors.js';
import { Scorer } from './scorer.js';
import { type ServedModel, ServedModels, versionsOf } from './served-models.js';
import { type ServedModelDocument, ServingDocuments } from './serving.documents.js';

@Injectable()
export class Following implements OnApplicationBootstrap {
  constructor(
    private readonly models: ServedModels,
    private readonly scorer: Scorer,
    private readonly objects: Objects,
    private readonly documents: ServingDocuments,
    private readonly outbox: Outbox,
    private readonly log: Log,
  ) {}

  /** I3: back to the last good state. */
  async onApplicationBootstrap(): Promise<void> {
    for (const document of await this.documents.models.find().lean<ServedModelDocument[]>()) {
      const { tenant, model, specRevision, specJson, rollouts } = document;
      this.models.declare(tenant, model, specRevision, parseModelSpec(specJson));
      for (const json of [...rollouts].reverse()) {
        const rollout = Rollout.fromJSON(json);
        await this.takeOver(tenant, model, rollout).catch((error: Error) =>
          this.log.error(
            { model, revision: rollout.revision, problem: error.message },
            'a remembered rollout cannot be loaded',
          ),
        );
      }
    }
  }

  /** A model is declared, or its spec has changed. */
  async declare(tenant: string, model: string, specRevision: number, specJson: string): Promise<void> {
    this.models.declare(tenant, model, specRevision, parseModelSpec(specJson));
    const _id = `${tenant}/${model}`;
    await this.documents.models.updateOne(
      { _id },
      { $setOnInsert: { tenant, model, rollouts: [], specRevision: 0 } },
      { upsert: true },
    );
    await this.documents.models.updateOne(
      { _id, specRevision: { $lt: specRevision } },
      { $set: { specRevision, specJson } },
    );
  }

  /** A rollout has changed: load, check, take over; or tell why not. */
  async follow(tenant: string, model: string, rollout: Rollout, cause: Cause): Promise<void> {
    const served = this.models.find(tenant, model);
    if ((served.rollouts[0]?.revision ?? 0) >= rollout.revision) return;
    try {
      await this.takeOver(tenant, model, rollout);
    } catch (error) {
      await this.tellFailure(served, rollout, error as Error, cause);
      return;
    }
    const _id = `${tenant}/${model}`;
    const rollouts = served.rollouts.map((r) => Rollout.toJSON(r));
    await this.documents.models.updateOne({ _id }, { $set: { rollouts } });
    await this.dropUnused();
  }

  /** Makes sure that a version's graph is loaded, checked against its hash and the spec. Throws MODEL_CORRUPT. */
  async ensureLoaded({ layout, spec }: ServedModel, { version, artifact }: ServedVersion): Promise<void> {
    const { uri, sha256 } = artifact!;
    if (this.scorer.holds(sha256)) return;
    const bytes = await this.objects.get(uri, sha256).catch((error) => this.corrupt(version, error));
    try {
      checkInterface(inspectGraph(bytes), spec);
      const path = await this.objects.getFile(uri, sha256);
      await this.scorer.load({ key: sha256, path, ...layout });
    } catch (error) {
      this.corrupt(version, error as Error);
    }
  }

  private corrupt(version: string, error: Error & { retriable?: boolean }): never {
    if (error.retriable) throw error;
    throw errors.MODEL_CORRUPT({ version, problem: error.message });
  }

  /** I1 */
  private async takeOver(tenant: string, model: string, rollout: Rollout): Promise<void> {
    const served = this.models.find(tenant, model);
    for (const version of versionsOf(rollout)) await this.ensureLoaded(served, version);
    this.models.follow(tenant, model, rollout);
  }

  /** I2 */
  private async tellFailure(
    { tenant, model }: ServedModel,
    rollout: Rollout,
    error: Error & { code?: string; retriable?: boolean },
    cause: Cause,
  ) {
    if (error.retriable) throw error;
    this.log.error({ model, revision: rollout.revision, problem: error.message }, 'a rollout cannot be served');
    const failed = RolloutFailed.fromPartial({
      tenant,
      model,
      rolloutId: rollout.rolloutId,
      cycleId: rollout.cycleId,
      version: rollout.challenger?.version ?? rollout.champion?.version,
      code: error.code ?? 'LOAD_FAILED',
      reason: error.message,
    });
    await this.outbox.update(
      this.documents.models,
      { _id: `${tenant}/${model}` },
      { $set: { failedRevision: rollout.revision } },
      [emission(events.rolloutFailed, failed, cause.time)],
      cause,
    );
  }

  /** Graphs of the newest two rollouts stay loaded; an older one is loaded again when a replay asks for it. */
  private async dropUnused(): Promise<void> {
    const wanted = this.models.all().flatMap(({ rollouts }) => rollouts.slice(0, 2).flatMap(versionsOf));
    await this.scorer.keepOnly(new Set(wanted.map((v) => v.artifact!.sha256)));
  }
}
