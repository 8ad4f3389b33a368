/**
 * What a source says it knows too early: a known-at, or the promise of a watermark, further ahead than anybody can know.
 * The one check of every way in: messages, files, the bus.
 */
import type { SourceRow } from '@driftloop/contracts';
import { Foresight } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import type { ModelView } from './model-view.js';
import type { Row } from './views/source-rows.js';

@Injectable()
export class Ahead {
  constructor(private readonly foresight: Foresight) {}

  /** Throws WATERMARK_AHEAD, before anything is taken in. `rows` are those that come with the promise. */
  checkPromise(view: ModelView, source: string, watermark: number | undefined, rows: readonly Row[] = []): void {
    if (watermark === undefined) return;
    const newest = rows.reduce((max, { knownAt }) => Math.max(max, knownAt), view.newest ?? Number.NEGATIVE_INFINITY);
    const known = Number.isFinite(newest) ? newest : undefined;
    const latest = this.foresight.latestPromise(known, view.watermarks.silenceMs);
    if (watermark <= latest) return;
    const { advice } = this.foresight;
    throw errors.WATERMARK_AHEAD({
      model: view.model,
      source,
      watermark: dated(watermark),
      latest: dated(latest),
      advice,
    });
  }

  /** As `checkPromise`, before the rows of a file are read: only live, where no row can make it right. */
  checkFile(view: ModelView, source: string, watermark: Date | undefined): void {
    if (this.foresight.live) this.checkPromise(view, source, watermark?.getTime());
  }

  /** The latest that a row of these can be known at, epoch ms: later ones are refused one by one. */
  latestKnownAt(view: ModelView, rows: readonly SourceRow[]): number {
    const earliest = rows.reduce(
      (min, { knownAt }) => Math.min(min, knownAt?.getTime() || min),
      Number.POSITIVE_INFINITY,
    );
    return this.foresight.latestKnownAt(earliest, view.newest);
  }
}

const dated = (ms: number): string => new Date(ms).toISOString();
