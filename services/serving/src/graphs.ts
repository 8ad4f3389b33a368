/**
 * The graphs that are loaded: fetched once, checked and run by the scorer's thread, kept while somebody needs them.
 *
 * I1  A graph that a request holds is not dropped under it.
 * I2  Whoever wants a graph that is being loaded waits for the same load.
 */
import type { ServedVersion } from '@driftloop/contracts';
import { Objects } from '@driftloop/objects';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { Scorer } from './scorer.js';
import type { GraphSet, ServedModel, ServedRollout } from './served-models.js';

@Injectable()
export class Graphs {
  private readonly loading = new Map<string, Promise<void>>();
  private readonly held = new Map<string, number>();

  constructor(
    private readonly objects: Objects,
    private readonly scorer: Scorer,
  ) {}

  /** Whether all are loaded: a look, cheap enough for every request. */
  hold(set: GraphSet): boolean {
    for (const key of set.keys) if (!this.scorer.holds(key)) return false;
    for (const key of set.keys) this.held.set(key, (this.held.get(key) ?? 0) + 1);
    return true;
  }

  /** Gives back what `hold` took. */
  release({ keys }: GraphSet): void {
    for (const key of keys) {
      const left = this.held.get(key)! - 1;
      if (left) this.held.set(key, left);
      else this.held.delete(key);
    }
  }

  /**
   * Loads every graph of a rollout: bytes with the declared hash, that are an ONNX graph with the spec's columns and
   * nothing outside itself. Throws MODEL_CORRUPT, or a retriable error where the object store is away.
   */
  async load(model: ServedModel, { versions }: Pick<ServedRollout, 'versions'>): Promise<void> {
    for (const version of versions) await this.loadOne(model, version);
  }

  /** Drops every graph that is neither wanted nor held. */
  async keepOnly(wanted: ReadonlySet<string>): Promise<void> {
    await this.scorer.keepOnly((key) => wanted.has(key) || this.held.has(key) || this.loading.has(key));
  }

  private loadOne(model: ServedModel, version: ServedVersion): Promise<void> {
    const key = version.artifact!.sha256;
    if (this.scorer.holds(key)) return Promise.resolve();
    const underWay = this.loading.get(key);
    if (underWay) return underWay;
    const loading = this.fetch(model, version).finally(() => this.loading.delete(key));
    this.loading.set(key, loading);
    return loading;
  }

  private async fetch({ spec, layout }: ServedModel, { version, artifact }: ServedVersion): Promise<void> {
    const { uri, sha256 } = artifact!;
    try {
      const path = await this.objects.getFile(uri);
      await this.scorer.load({ key: sha256, path, spec, numbers: [...layout.numbers], texts: [...layout.texts] });
    } catch (error) {
      if ((error as { retriable?: boolean }).retriable) throw error;
      throw errors.MODEL_CORRUPT({ version, problem: (error as Error).message });
    }
  }
}
