/**
 * Silence: a source whose watermark has stood still for longer than the spec allows, or labels that no longer come, told
 * once when it begins and once when it ends. A silent source holds no time back (the feature store goes on without it).
 *
 * I1  Looked at on each tick, from watermarks and closed days alone; what was said is marked after it is saved, so that at worst
 *     it is said twice with one id.
 * I2  A source that never spoke is not silent: some are only loaded, never fed.
 */
import {
  dayMs,
  decision,
  durationMs,
  type Evidence,
  events,
  hourMs,
  SilenceChanged,
  watermarkGrainMs,
} from '@driftloop/contracts';
import { type Cause, emission } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { isToldOf, unlabelledShare } from './coverage.js';
import { Days } from './days.documents.js';
import { LoopDocuments } from './loop.documents.js';
import type { SourceDocument } from './loop-rows.js';
import { Told } from './told.js';
import type { ModelView } from './view.js';
import type { Progress } from './watch.js';

/** How the labels are called where a source's name stands. */
export const labelsAsSource = 'labels';
/** No source's name begins with a slash. */
const labelsId = (series: string) => `${series}//${labelsAsSource}`;

/** A source as a tick finds it. */
interface Finding {
  source: SourceDocument;
  name: string;
  silent: boolean;
  evidence: Partial<Evidence>;
  reason: string;
}

@Injectable()
export class Silence {
  constructor(
    private readonly documents: LoopDocuments,
    private readonly days: Days,
    private readonly told: Told,
  ) {}

  /** Tells which sources have fallen silent, and which speak again. `daysClosed`: whether the newest day is news. */
  async look(view: ModelView, progress: Progress, daysClosed: boolean, now: number, cause: Cause): Promise<void> {
    const known = await this.documents.sourcesOf(view.series);
    const sources = known.filter(({ _id }) => _id !== labelsId(view.series));
    const found = sources.sort((a, b) => (a._id < b._id ? -1 : 1)).map((source) => watermarkOf(view, source, now));
    const labels = daysClosed ? await this.labels(view, known, progress) : undefined;
    for (const finding of [...found, ...(labels ? [labels] : [])])
      if (finding.silent !== isSilent(finding.source)) await this.change(view, finding, now, cause);
  }

  private async change(view: ModelView, finding: Finding, now: number, cause: Cause): Promise<void> {
    const { source, name, silent, evidence, reason } = finding;
    const outcome = silent ? 'silent' : 'returned';
    const facts = { kind: 'silence', outcome, subject: source._id, time: now, reasons: [reason], evidence: [evidence] };
    const said = decision(facts);
    const { tenant, model, series } = view;
    const payload = SilenceChanged.fromPartial({ tenant, model, source: name, silent, decision: said });
    await this.told.tell(view, said, [emission(events.silenceChanged, payload, now)], cause);
    const marked = { series, silentSince: silent ? now : null };
    await this.documents.sources.updateOne(
      { _id: source._id },
      { $set: marked, $setOnInsert: { watermark: source.watermark } },
      { upsert: true },
    );
  }

  /** The newest closed day that enough was predicted of: do its labels come? */
  private async labels(view: ModelView, known: SourceDocument[], { closed }: Progress): Promise<Finding | undefined> {
    const day = closed === undefined ? null : await this.days.find(view.series, closed);
    const share = day ? unlabelledShare(day) : undefined;
    if (!day || share === undefined) return undefined;
    const _id = labelsId(view.series);
    const { series } = view;
    const source = known.find((one) => one._id === _id) ?? { _id, series, watermark: 0, silentSince: null };
    const silent = !isToldOf(view, day);
    const percent = `${(100 * share).toFixed(1)}%`;
    const evidence = {
      ...{
        test: 'unlabelled',
        subject: labelsAsSource,
        statistic: share,
        holds: silent,
        rows: day.predictions,
        days: 1,
      },
      ...{ threshold: view.spec.monitoring.unlabelledAbove },
      ...{ windowStart: new Date(day.day), windowEnd: new Date(day.day + dayMs) },
    };
    const reason = `${percent} of the ${day.predictions} predictions of ${new Date(day.day).toISOString()} had no label when the day was closed`;
    return { source, name: labelsAsSource, silent, evidence, reason };
  }
}

const isSilent = ({ silentSince }: SourceDocument): boolean => (silentSince ?? null) !== null;

const nameOf = (series: string, id: string): string =>
  id === labelsId(series) ? labelsAsSource : id.slice(series.length + 1);

/** What is silent at present, in words. */
export const silentSources = (series: string, known: readonly SourceDocument[]): string[] =>
  known
    .filter(isSilent)
    .map(({ _id, silentSince }) => `${nameOf(series, _id)}: silent since ${new Date(silentSince!).toISOString()}`)
    .sort();

/** What has promised further than a source may be ahead, in words: a clock that was wrong, most often. */
export function sourcesAhead(
  { series, spec }: ModelView,
  known: readonly SourceDocument[],
  now: number | undefined,
): string[] {
  if (now === undefined) return [];
  const latest = now + durationMs(spec.monitoring.silence) + watermarkGrainMs;
  return known
    .filter(({ _id, watermark }) => _id !== labelsId(series) && watermark > latest)
    .map(
      ({ _id, watermark }) =>
        `${nameOf(series, _id)}: has promised all up to ${new Date(watermark).toISOString()} (${back})`,
    )
    .sort();
}

const back = 'take it back with `driftloop watermarks withdraw`';

/** How many hours a source's watermark is behind. */
function watermarkOf(view: ModelView, source: SourceDocument, now: number): Finding {
  const allowed = durationMs(view.spec.monitoring.silence) + watermarkGrainMs;
  const { watermark, _id } = source;
  const name = nameOf(view.series, _id);
  const silent = now - watermark > allowed;
  const evidence = {
    ...{ test: 'silence', subject: name, holds: silent },
    ...{ statistic: (now - watermark) / hourMs, threshold: allowed / hourMs },
    ...{ windowStart: new Date(watermark), windowEnd: new Date(now), note: 'hours without a row or a watermark' },
  };
  const reason = silent
    ? `${name} has said nothing since ${new Date(watermark).toISOString()}`
    : `${name} speaks again, up to ${new Date(watermark).toISOString()}`;
  return { source, name, silent, evidence, reason };
}
