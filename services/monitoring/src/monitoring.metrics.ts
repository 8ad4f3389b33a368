/**
 * How the loops stand, as metrics: read from documents whenever metrics are collected, so that a restart changes nothing.
 *
 * I1  One model's reading that fails (it is being declared) leaves that model out.
 */
import { Evidence } from '@driftloop/contracts';
import { type Measurement, Metrics } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { Facts } from './facts.js';
import { LoopDocuments } from './loop.documents.js';
import { QuarantineItems } from './quarantine-items.js';
import { Reading } from './reading.js';
import { silentSources } from './silence.js';
import type { ModelView } from './view.js';

const stages = ['training', 'gate', 'shadow', 'canary'];
type Read = (view: ModelView) => Promise<Measurement[]>;

@Injectable()
export class MonitoringMetrics {
  private folding: Promise<Map<string, ModelView>> | undefined;

  constructor(
    metrics: Metrics,
    private readonly facts: Facts,
    private readonly documents: LoopDocuments,
    private readonly reading: Reading,
    quarantine: QuarantineItems,
  ) {
    const one =
      (read: (view: ModelView) => Promise<number>): Read =>
      async (view) => [{ value: await read(view) }];
    const each = (read: Read) => () => this.each(read);
    metrics.observe(
      'driftloop.cycle.open',
      each((view) => this.open(view)),
    );
    metrics.observe(
      'driftloop.loop.held',
      each((view) => this.held(view)),
    );
    metrics.observe(
      'driftloop.alarm.sounding',
      each((view) => this.sounding(view)),
    );
    metrics.observe(
      'driftloop.champion',
      each(async ({ champion }) => [{ value: 1, labels: { 'driftloop.version': champion } }]),
    );
    metrics.observe('driftloop.source.silent', each(one((view) => this.silent(view))));
    metrics.observe('driftloop.prediction.repeated_ids', each(one(({ series }) => reading.repeatedIds(series))));
    metrics.observe(
      'driftloop.quarantine.windows',
      each(one(async ({ series }) => (await quarantine.windows(series)).length)),
    );
  }

  /** I1 */
  private async each(read: Read): Promise<Measurement[]> {
    const views = [...(await this.views()).values()].filter(({ ready }) => ready);
    const found = await Promise.all(
      views.map(async (view) => {
        const own = await read(view).catch((): Measurement[] => []);
        return own.map(({ value, labels }) => ({ value, labels: { 'driftloop.model': view.model, ...labels } }));
      }),
    );
    return found.flat();
  }

  /** Metrics that are collected together are read from one folding of the facts. */
  private views(): Promise<Map<string, ModelView>> {
    this.folding ??= this.facts.views().finally(() => {
      this.folding = undefined;
    });
    return this.folding;
  }

  private async open({ series }: ModelView): Promise<Measurement[]> {
    const cycles = await this.documents.cyclesOf(series);
    return stages.map((stage) => ({
      value: cycles.filter((cycle) => cycle.stage === stage).length,
      labels: { 'driftloop.stage': stage },
    }));
  }

  private async held({ series, model }: ModelView): Promise<Measurement[]> {
    const paused = await this.reading.isPaused(series);
    const broken = await this.reading.isBroken(series, model);
    const held = (by: string, is: boolean) => ({ value: is ? 1 : 0, labels: { 'driftloop.by': by } });
    return [held('person', paused), held('breaker', broken)];
  }

  /** Every test that is made, with 0 where it is quiet: an alarm that ends is seen to end. */
  private async sounding({ series, champion }: ModelView): Promise<Measurement[]> {
    const watch = await this.documents.watch(series);
    const made = (watch?.latest ?? []).map((latest) => Evidence.fromJSON(latest).test);
    const sounding = (watch?.alerts ?? []).map((alarm) => alarm.split('|')).filter(([of]) => of === champion);
    const tests = new Set([...made, ...sounding.map(([, test]) => test)]);
    return [...tests].map((test) => ({
      value: sounding.filter(([, sounds]) => sounds === test).length,
      labels: { 'driftloop.test': test },
    }));
  }

  private async silent({ series }: ModelView): Promise<number> {
    return silentSources(series, await this.documents.sourcesOf(series)).length;
  }
}
