/**
 * The graphs that are loaded: fetched once, checked and run by the scorer's thread, kept while somebody needs them.
 *
 * I1  A graph that a request holds is not dropped under it.
 * I2  Whoever wants a graph that is being loaded waits for the same load.
 * I3  An object that is larger or smaller than was declared is not read.
 */
import type { ServedVersion } from '@driftloop/contracts';
import { Objects } from '@driftloop/objects';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { Scorer } from './scorer.js';
import { type GraphSet, type ServedModel, type ServedRollout, without } from './served-models.js';

/** A rollout as far as it can be served, and why not all of it can. */
export interface LoadedRollout {
  readonly rollout: ServedRollout;
  readonly failures: readonly { readonly version: string; readonly error: Error }[];
}

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
   * Loads the graphs of a rollout: bytes of the declared size and hash, that are an ONNX graph with the spec's columns and
   * nothing outside itself. Without its champion it cannot be served; any other that cannot be loaded is left out.
   * Throws the champion's MODEL_CORRUPT, or a retriable error where the object store is away.
   */
  async load(model: ServedModel, rollout: ServedRollout): Promise<LoadedRollout> {
    const failures: { version: string; error: Error }[] = [];
    const champion = rollout.names.get('champion');
    for (const [i, version] of rollout.versions.entries())
      try {
        await this.loadOne(model, version);
      } catch (error) {
        if (i === champion || (error as { retriable?: boolean }).retriable) throw error;
        failures.push({ version: version.version, error: error as Error });
      }
    const missing = failures.map(({ version }) => version);
    return { rollout: without(model.model, rollout, missing), failures };
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
    const { uri, sha256, bytes } = artifact!;
    try {
      await this.checkSize(uri, bytes);
      const path = await this.objects.getFile(uri);
      await this.scorer.load({ key: sha256, path, spec, numbers: [...layout.numbers], texts: [...layout.texts] });
    } catch (error) {
      if ((error as { retriable?: boolean }).retriable) throw error;
      throw errors.MODEL_CORRUPT({ version, problem: (error as Error).message });
    }
  }

  /** I3. Versions of old declare no size. */
  private async checkSize(uri: string, declared: number): Promise<void> {
    const found = declared ? await this.objects.size(uri) : declared;
    if (found !== declared) throw new Error(`it has ${found} bytes, not ${declared}: they were changed`);
  }
}
