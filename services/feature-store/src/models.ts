/**
 * The declared models, each with its view; specs are kept by revision.
 *
 * I1  A spec is opened before it is kept: what cannot be compiled is refused, and no start meets it.
 * I2  A model that cannot be opened at a start (a spec or rows of before) is set aside aloud, and every other one opens; a
 *     declaration that opens takes it back. A dependency that is away ends the start, as ever.
 */
import { labelBuckets, labelName, type ModelDeclared, outcomesSource, parseModelSpec } from '@driftloop/contracts';
import { Objects } from '@driftloop/objects';
import { Isolation, Leadership, Log, Metrics, statesOf } from '@driftloop/service';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { errors } from './errors.js';
import { FeatureStoreDocuments, type SpecDocument } from './feature-store.documents.js';
import { ModelView, writersAtOnce } from './model-view.js';
import { RowLog } from './rows/row-log.js';
import { lineOf } from './serial.js';
import { FeatureView } from './views/feature-view.js';
import { planOf, type ViewPlan } from './views/plan.js';

/** What a model is set aside from, as errors and metrics name it. */
const opening = 'opening';

@Injectable()
export class Models implements OnModuleInit, OnApplicationShutdown {
  private readonly views = new Map<string, ModelView>();
  private readonly declaring = lineOf('declarations', 1000);

  constructor(
    private readonly documents: FeatureStoreDocuments,
    private readonly objects: Objects,
    private readonly log: Log,
    private readonly leadership: Leadership,
    private readonly isolation: Isolation,
    metrics: Metrics,
  ) {
    metrics.queue('declarations', this.declaring.limit, () => this.declaring.state);
    const writers = () => [...this.views.values()].map((view) => view.writers);
    metrics.queue('batches of a model', writersAtOnce, () => statesOf(writers()));
  }

  /** Opens every model at its newest revision, from its durable rows (I2). */
  async onModuleInit(): Promise<void> {
    await Promise.all([this.documents.specs.init(), this.documents.batches.init(), this.documents.segments.init()]);
    const newest = new Map<string, SpecDocument>();
    for (const spec of await this.documents.allSpecs()) newest.set(keyOf(spec.tenant, spec.model), spec);
    for (const spec of newest.values()) await this.isolation.guard(spec, opening, () => this.open(spec));
  }

  async onApplicationShutdown(): Promise<void> {
    for (const view of this.views.values()) await view.idle();
  }

  /** Keeps a spec and follows it, unless a later revision is followed already. Throws what it is refused for (I1). */
  declare({ tenant, model, revision, specJson }: ModelDeclared): Promise<void> {
    return this.declaring.run(async () => {
      const declared = parseModelSpec(specJson);
      new FeatureView(planOf(declared)); // I1
      const spec = { _id: `${tenant}/${model}/${revision}`, tenant, model, revision, specJson };
      await this.documents.keepSpec(spec);
      const view = this.views.get(keyOf(tenant, model));
      if (!view) await this.open(spec);
      else if (view.revision < revision) await view.redeclare(declared, revision);
      this.isolation.cleared(spec, opening);
    });
  }

  /** Throws UNKNOWN_MODEL, or MODEL_SET_ASIDE. */
  of(tenant: string, model: string): ModelView {
    const view = this.views.get(keyOf(tenant, model));
    if (view) return view;
    this.isolation.check({ tenant, model }, opening);
    const known = [...this.views.values()].filter((v) => v.tenant === tenant).map((v) => v.model);
    throw errors.UNKNOWN_MODEL({ model, known });
  }

  /** The model that declares a label. Throws UNKNOWN_LABEL, or MODEL_SET_ASIDE. */
  ofLabel(tenant: string, label: string): ModelView {
    for (const view of this.views.values()) {
      if (view.tenant === tenant && labelName(view.spec) === label) return view;
    }
    // A label's name begins with its model's, whose spec may not be readable.
    const [model] = label.split('.');
    this.isolation.check({ tenant, model }, opening);
    throw errors.UNKNOWN_LABEL({ label });
  }

  /** The plan of a model at a revision of its spec; 0 is the current one. Throws UNKNOWN_REVISION. */
  async planAt(view: ModelView, revision: number): Promise<ViewPlan> {
    if (!revision || revision === view.revision) return view.plan;
    const spec = await this.documents.spec(view.tenant, view.model, revision);
    if (!spec) throw errors.UNKNOWN_REVISION({ model: view.model, revision, current: view.revision });
    return planOf(parseModelSpec(spec.specJson));
  }

  private async open({ tenant, model, revision, specJson }: SpecDocument): Promise<void> {
    const view = await ModelView.open(
      { tenant, spec: parseModelSpec(specJson), revision },
      (source, columns) =>
        RowLog.open(`${tenant}/${model}/${source}`, columns, this.documents, this.objects, this.leadership),
      (error, stream) => this.log.warn({ err: error, stream }, 'compaction failed; the batches stay as they are'),
      (source) => (source === outcomesSource ? labelBuckets : 1),
    );
    this.views.set(keyOf(tenant, model), view);
  }
}

const keyOf = (tenant: string, model: string) => `${tenant}/${model}`;
