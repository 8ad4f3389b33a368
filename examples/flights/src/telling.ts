/** Tells Driftloop what became known: facts on one long stream, outcomes in bulk, each source with its promise. */
import type { Fact, FactStream, ReportedOutcome, Reporter } from '@driftloop/client';
import type { Happening, World } from './world.js';

export class Telling {
  private stream: FactStream;

  constructor(
    private readonly world: Pick<World, 'model' | 'label' | 'sources'>,
    private readonly reporter: Reporter,
    private readonly batchSize = 1000,
  ) {
    this.stream = reporter.facts();
  }

  /** Resolves when everything is acknowledged; each source has then promised that there is no more up to `to`. */
  async tell(due: readonly Happening[], to: number): Promise<void> {
    const watermark = new Date(to);
    const facts = Map.groupBy(
      due.filter((h) => h.kind === 'fact'),
      (h) => h.source,
    );
    const told = this.world.sources.flatMap((source) =>
      this.facts(
        source,
        (facts.get(source) ?? []).map((h) => h.fact),
        watermark,
      ),
    );
    const outcomes = due.flatMap((h) => (h.kind === 'outcome' ? [h.outcome] : []));
    const results = await Promise.allSettled([...told, this.outcomes(outcomes, watermark)]);
    const failed = results.find((result) => result.status === 'rejected');
    if (!failed) return;
    // The same again goes on a stream of its own, after all that was under way on this one has ended.
    this.stream.close();
    this.stream = this.reporter.facts();
    throw failed.reason;
  }

  close(): void {
    this.stream.close();
  }

  private facts(source: string, facts: Fact[], watermark: Date): Promise<void>[] {
    return batches(facts, this.batchSize).map((batch, i, all) => {
      const promise = i === all.length - 1 ? watermark : undefined;
      return this.stream.send(this.world.model, source, batch, promise).then(refused);
    });
  }

  /** In order: a promise must not overtake what it is about. */
  private async outcomes(outcomes: ReportedOutcome[], watermark: Date): Promise<void> {
    const parts = batches(outcomes, this.batchSize);
    for (const [i, batch] of parts.entries()) {
      const promise = i === parts.length - 1 ? watermark : undefined;
      refused(await this.reporter.outcomes(this.world.label, batch, promise));
    }
  }
}

/** At least one batch, so that a promise goes out even where nothing happened. */
function batches<T>(rows: readonly T[], batchSize: number): T[][] {
  const count = Math.max(1, Math.ceil(rows.length / batchSize));
  return Array.from({ length: count }, (_, i) => rows.slice(i * batchSize, (i + 1) * batchSize));
}

/** The world's own data is right: a refused row is a defect. */
function refused(reply: { rejected: { index: number; reason: string }[] }): void {
  const [first] = reply.rejected;
  if (first)
    throw new Error(`${reply.rejected.length} rows were refused, the first: row ${first.index}, ${first.reason}`);
}
