/**
 * One declared model: its features in memory, its watermarks, and the durable rows of its sources.
 *
 * I1  Rows are durable before they count, and count before they are acknowledged; writers take turns.
 * I2  What is in memory can always be made again from the durable rows: at start, when the spec changes, and when a promise
 *     is taken back.
 * I3  A source's rows leave memory once it has come past them itself, and another has promised so too, where any has: no
 *     source alone moves what is kept of the others, and none is forgotten before anybody has promised.
 * I4  A row is stored once, however long ago it was: where memory has let go of its like, the durable rows are asked.
 */
import { canonicalJson, durationMs, type ModelSpec, outcomesSource } from '@driftloop/contracts';
import type { Emission } from '@driftloop/documents';
import { errors } from './errors.js';
import type { Columns } from './rows/lines.js';
import type { Promised } from './rows/promises.js';
import type { RowLog, Tell } from './rows/row-log.js';
import { lineOf } from './serial.js';
import { FeatureView } from './views/feature-view.js';
import { planOf, type ViewPlan } from './views/plan.js';
import { sortRows } from './views/sorted-rows.js';
import { nameOf, type Row } from './views/source-rows.js';
import { Watermarks } from './views/watermarks.js';

/** Memory keeps what a question this much older than the watermark may still ask for. */
const slackMs = 7 * 86_400_000;
/** Batches that wait for their turn at most. */
export const writersAtOnce = 1000;
export type OpenLog = (source: string, columns: Columns) => Promise<RowLog>;

/** What a source took in. */
export interface Recorded {
  readonly accepted: number;
  readonly duplicates: number;
  /** At odds with rows that are there: they are not taken in. */
  readonly contradictory: readonly Row[];
}

export class ModelView {
  plan: ViewPlan;
  view: FeatureView;
  readonly watermarks: Watermarks;
  private readonly logs = new Map<string, RowLog>();
  readonly writers = lineOf('batches of one model', writersAtOnce);

  private constructor(
    readonly tenant: string,
    public spec: ModelSpec,
    public revision: number,
    private readonly openLog: OpenLog,
    private readonly report: (error: unknown, what: string) => void,
    partsOf: (source: string) => number,
  ) {
    this.plan = planOf(spec);
    this.view = new FeatureView(this.plan);
    this.watermarks = new Watermarks(partsOf, durationMs(spec.spec.monitoring.silence));
  }

  /** Opens a model where it was left. */
  static async open(
    model: { tenant: string; spec: ModelSpec; revision: number },
    openLog: OpenLog,
    report: (error: unknown, what: string) => void,
    partsOf: (source: string) => number,
  ): Promise<ModelView> {
    const view = new ModelView(model.tenant, model.spec, model.revision, openLog, report, partsOf);
    await view.rebuild();
    return view;
  }

  get model(): string {
    return this.spec.metadata.name;
  }

  /** Columns of a source that rows may be ingested into. Throws UNKNOWN_SOURCE or OUTCOMES_NOT_INGESTED. */
  ingestible(source: string): Columns {
    if (source === outcomesSource) throw errors.OUTCOMES_NOT_INGESTED({ source });
    const columns = this.plan.sources.get(source);
    if (columns) return columns;
    const known = [...this.plan.sources.keys()].filter((name) => name !== outcomesSource);
    throw errors.UNKNOWN_SOURCE({ model: this.model, source, known });
  }

  /** The durable rows of a source, which an older spec may have declared. */
  async log(source: string, columns: Columns): Promise<RowLog> {
    let log = this.logs.get(source);
    if (!log) {
      log = await this.openLog(source, columns);
      this.logs.set(source, log);
    }
    return log;
  }

  /**
   * Takes rows and a promise in, durably. `announce` may turn what is new into events that go out with the rows.
   * Rows that are there already are duplicates, or contradictory with other cells; nothing is written when nothing is new.
   */
  record(
    source: string,
    rows: readonly Row[],
    promised: Promised | undefined,
    tell: Tell,
    announce: (fresh: readonly Row[], log: RowLog) => Emission[] = () => [],
  ): Promise<Recorded> {
    return this.writers.run(async () => {
      await this.catchUp();
      const log = await this.log(source, this.plan.sources.get(source)!);
      const { fresh, duplicates, contradictory } = sortRows(rows, await this.heldAmong(source, rows, log));
      const recorded = { accepted: fresh.length, duplicates, contradictory };
      if (!fresh.length && !(promised && this.isNews(source, promised))) return recorded;
      await log.append(fresh, promised, announce(fresh, log), tell);
      this.view.add(source, fresh);
      if (promised) this.watermarks.advance(source, promised.part, promised.watermark);
      this.tidy(log);
      return recorded;
    });
  }

  /**
   * Takes what a source has promised back, durably: to a time, or altogether. `announce` says so with it. What had left
   * memory for that promise is there again (I2). False where nothing is promised beyond.
   */
  withdraw(source: string, to: number | undefined, tell: Tell, announce: () => Emission[]): Promise<boolean> {
    return this.writers.run(async () => {
      await this.catchUp();
      const log = await this.log(source, this.plan.sources.get(source)!);
      const promised = this.watermarks.partsOfSource(source) ?? [];
      if (!promised.some((ms) => Number.isFinite(ms) && ms > (to ?? Number.NEGATIVE_INFINITY))) return false;
      await log.append([], { watermark: to ?? null, withdrawn: true }, announce(), tell);
      await this.rebuild();
      return true;
    });
  }

  /** I4 */
  private async heldAmong(source: string, rows: readonly Row[], log: RowLog): Promise<(row: Row) => Row | undefined> {
    const { view } = this;
    const old = rows.filter((row) => !view.keeps(source, row, view.horizon));
    const found = new Map<string, Row>();
    if (old.length) for (const row of await log.find(old)) found.set(nameOf(row), row);
    return (row) => view.held(source, row) ?? found.get(nameOf(row));
  }

  /** Follows a new revision of the spec; the view is made again where its features have changed. */
  redeclare(spec: ModelSpec, revision: number): Promise<void> {
    return this.writers.run(async () => {
      const same = canonicalJson(featuresOf(spec)) === canonicalJson(featuresOf(this.spec));
      this.spec = spec;
      this.revision = revision;
      if (same) return;
      this.plan = planOf(spec);
      await this.rebuild();
    });
  }

  /** Resolves when every writer before it is done. */
  async idle(): Promise<void> {
    await this.writers.run(async () => {});
    await Promise.all([...this.logs.values()].map((log) => log.idle()));
  }

  /** I2: where somebody else has written, or an append went through that we took for failed, memory lacks rows. */
  private async catchUp(): Promise<void> {
    if (![...this.logs.values()].some((log) => log.overtaken)) return;
    for (const [source, log] of this.logs) {
      await log.idle();
      this.logs.delete(source);
    }
    await this.rebuild();
  }

  private async rebuild(): Promise<void> {
    for (const [source, columns] of this.plan.sources) {
      const log = await this.log(source, columns);
      log.columns = columns;
      this.watermarks.restore(source, log.watermarks);
    }
    const view = new FeatureView(this.plan);
    for (const source of this.plan.sources.keys()) view.trim(source, this.horizonFor(source));
    for (const source of this.plan.sources.keys()) {
      const add = (rows: Row[]) => view.add(source, view.unknown(source, rows));
      await this.logs.get(source)!.recent(view.horizonOf(source), this.plan.byEvent.has(source), add);
    }
    this.view = view;
  }

  /** How far a source has come: as it has promised, or else by the newest of its rows; undefined without either. */
  reachedBy(source: string): number | undefined {
    const promised = this.watermarks.of(source);
    return Number.isFinite(promised) ? promised : this.newestKnownAt(source);
  }

  newestKnownAt(source: string): number | undefined {
    return this.logs.get(source)?.newestKnownAt;
  }

  /** The newest that any source knows or has promised. */
  get newest(): number | undefined {
    const all = [...this.logs].flatMap(([source, log]) => [this.watermarks.of(source), log.newestKnownAt]);
    return newestOf(all);
  }

  /** I3 */
  private horizonFor(source: string): number {
    const others = [...this.plan.sources.keys()].filter((other) => other !== source);
    const furthest = newestOf(others.map((other) => this.watermarks.of(other)));
    const own = furthest === undefined ? this.watermarks.of(source) : this.reachedBy(source);
    const reached = own ?? Number.NEGATIVE_INFINITY;
    return Math.min(reached, furthest ?? reached) - this.plan.reachMs - slackMs;
  }

  private isNews(source: string, { part, watermark }: Promised): boolean {
    return !((this.watermarks.partsOfSource(source)?.[part] ?? Number.NEGATIVE_INFINITY) >= watermark);
  }

  /** Old rows leave memory now and then; many batches become a segment in the background. */
  private tidy(log: RowLog): void {
    for (const source of this.plan.sources.keys()) {
      const horizon = this.horizonFor(source);
      if (horizon > this.view.horizonOf(source) + slackMs / 2) this.view.trim(source, horizon);
    }
    if (log.full) log.compactSoon((error) => this.report(error, log.stream));
  }
}

function newestOf(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((ms) => ms !== undefined && Number.isFinite(ms)) as number[];
  return known.length ? Math.max(...known) : undefined;
}

/** What of a spec the features follow from. */
function featuresOf({ spec }: ModelSpec) {
  const { entity, question, request, derived, sources, features } = spec;
  return { entity, question, request, derived, sources, features };
}
