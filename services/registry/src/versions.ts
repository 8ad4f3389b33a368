/** Versions: numbered in the order in which they were trained, found by name or alias, shown with their lineage. */
import { Decision, ModelTrained, type Rollout, type Version } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { RegistryDocuments, type VersionDocument } from './registry.documents.js';

/** Aliases of a rollout: champion, challenger, frozen → version. */
export function aliasesOf(rollout: Rollout | undefined): Map<string, string> {
  const served = { champion: rollout?.champion, challenger: rollout?.challenger, frozen: rollout?.frozen };
  return new Map(
    Object.entries(served).flatMap(([alias, one]): [string, string][] => (one ? [[alias, one.version]] : [])),
  );
}

@Injectable()
export class Versions {
  constructor(private readonly documents: RegistryDocuments) {}

  /** Registers what a cycle trained, once; it waits for the gate. */
  async register(trained: ModelTrained): Promise<void> {
    const { tenant, model, cycleId } = trained;
    for (;;) {
      if (await this.documents.versions.exists({ tenant, model, cycleId })) return;
      const newest = await this.documents.versions.findOne({ tenant, model }).sort({ number: -1 }).lean();
      const added = await this.add(trained, (newest?.number ?? -1) + 1, 'registered');
      if (added?.cycleId === cycleId) return; // else another replica has just given the number away
    }
  }

  /** Adds a version under a number, and resolves to who has that number: an existing one stays as it is. */
  async add(trained: ModelTrained, number: number, state: VersionDocument['state']): Promise<VersionDocument | null> {
    const { tenant, model, cycleId } = trained;
    const version = `v${number}`;
    const _id = `${tenant}/${model}/${version}`;
    const fields = { _id, tenant, model, version, number, state, cycleId, eventTime: trained.eventTime };
    // Spans have wall times, and are monitoring's to keep.
    const document = { ...fields, trained: ModelTrained.toJSON({ ...trained, spans: [] }) };
    await this.documents.addVersion(document);
    return this.documents.versions.findById(_id).lean<VersionDocument>();
  }

  /** A version by name or alias. Throws UNKNOWN_VERSION. */
  async find(tenant: string, model: string, name: string, rollout: Rollout | undefined): Promise<VersionDocument> {
    const aliases = aliasesOf(rollout);
    const found = await this.documents.versions
      .findById(`${tenant}/${model}/${aliases.get(name) ?? name}`)
      .lean<VersionDocument>();
    if (found) return found;
    const known = (await this.documents.versionsOf(tenant, model)).map((v) => v.version);
    throw errors.UNKNOWN_VERSION({ model, version: name, known: [...known, ...aliases.keys()] });
  }
}

/** A version as the door shows it. */
export function toVersion(document: VersionDocument, rollout: Rollout | undefined): Version {
  const trained = ModelTrained.fromJSON(document.trained);
  const aliases = [...aliasesOf(rollout)].filter(([, version]) => version === document.version);
  return {
    model: document.model,
    version: document.version,
    state: document.state,
    released: trained.released,
    twin: trained.twin,
    lineage: trained.lineage,
    cycleId: document.cycleId,
    eventTime: document.eventTime,
    metrics: trained.metrics,
    gate: document.gate ? Decision.fromJSON(document.gate) : undefined,
    aliases: aliases.map(([alias]) => alias),
  };
}
