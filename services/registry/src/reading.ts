/** What the registry tells of its models, versions and rollouts. */
import { Bus } from '@driftloop/bus';
import { type DeclaredModel, events, type GetRolloutReply, type Version } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { type ModelDocument, RegistryDocuments } from './registry.documents.js';
import { Rollouts } from './rollouts.js';
import { toVersion, Versions } from './versions.js';

/** Ticks that are read: a log may hold what is none. */
const lookBack = 20;

@Injectable()
export class Reading {
  private lastTick = 0;

  constructor(
    private readonly documents: RegistryDocuments,
    private readonly versionsKept: Versions,
    private readonly rollouts: Rollouts,
    private readonly bus: Bus,
  ) {}

  /**
   * The last tick, epoch ms; 0 before the first. It is the bus's, whichever replica handles it: a command must not take
   * effect in the past.
   */
  async now(): Promise<number> {
    const { topic } = events.timePassed;
    const [end = 0] = await this.bus.ends(topic);
    const newest = end ? await this.bus.read(topic, 0, Math.max(0, end - lookBack), lookBack) : [];
    return Math.max(this.lastTick, ...newest.map(({ time }) => time));
  }

  ticked(time: number): void {
    this.lastTick = Math.max(this.lastTick, time);
  }

  async models(tenant: string): Promise<DeclaredModel[]> {
    return (await this.documents.models.find({ tenant }).lean<ModelDocument[]>()).map(toModel);
  }

  /** Throws UNKNOWN_MODEL. */
  async model(tenant: string, model: string): Promise<DeclaredModel> {
    const found = await this.documents.models.findById(`${tenant}/${model}`).lean<ModelDocument>();
    if (found) return toModel(found);
    throw errors.UNKNOWN_MODEL({ model, known: (await this.models(tenant)).map((m) => m.model) });
  }

  async versions(tenant: string, model: string): Promise<Version[]> {
    await this.model(tenant, model);
    const rollout = await this.rollouts.find(tenant, model);
    return (await this.documents.versionsOf(tenant, model)).map((version) => toVersion(version, rollout));
  }

  /** A version by name or alias. Throws UNKNOWN_MODEL or UNKNOWN_VERSION. */
  async version(tenant: string, model: string, name: string): Promise<Version> {
    await this.model(tenant, model);
    const rollout = await this.rollouts.find(tenant, model);
    return toVersion(await this.versionsKept.find(tenant, model, name, rollout), rollout);
  }

  async rollout(tenant: string, model: string, history: number): Promise<GetRolloutReply> {
    await this.model(tenant, model);
    const rollout = await this.rollouts.find(tenant, model);
    return { tenant, model, rollout, history: await this.rollouts.history(tenant, model, Math.max(0, history)) };
  }
}

function toModel({ tenant, model, revision, specJson, specSha256 }: ModelDocument): DeclaredModel {
  return { tenant, model, revision, specJson, specSha256 };
}
