/**
 * One meter provider a service, injected and never global. Where nobody receives them every instrument is a no-op and
 * `enabled` is false: hot paths then skip building attributes, and nothing is read.
 *
 * I1  Only metrics of the catalogue can be made, with its unit and its labels; other labels are dropped by a view.
 * I2  So many series an instrument at most: what is above is added up under `otel.metric.overflow`.
 * I3  A series of a gauge that is read no more (a former champion) is 0 from then on: the SDK would repeat its last value.
 * I4  A reading that fails leaves its metric out of that collection, and no other one.
 */
import { type Attributes, type Counter, createNoopMeter, type Histogram, type Meter } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { createAllowListAttributesProcessor, type IMetricReader, MeterProvider } from '@opentelemetry/sdk-metrics';
import { type MetricDefinition, type MetricName, type MetricOf, metricCatalogue } from './metric-catalogue.js';

/** Most series of one instrument (I2). */
const mostSeries = 1000;

/** One value with its labels. */
export interface Measurement {
  readonly value: number;
  readonly labels?: Attributes;
}

type Read = () => readonly Measurement[] | Promise<readonly Measurement[]>;

/** A bounded queue as it is now; what was dropped and refused counts from the start. */
export interface QueueState {
  readonly depth: number;
  readonly dropped?: number;
  readonly refused?: number;
}

/** Injectable. */
export class Metrics {
  /** Whether anybody receives them. */
  readonly enabled: boolean;
  readonly provider?: MeterProvider;
  readonly #meter: Meter;
  readonly #histograms = new Map<MetricName, Histogram>();
  readonly #counters = new Map<MetricName, Counter>();
  readonly #queues = new Map<string, { readonly capacity: number; readonly read: () => QueueState }>();

  constructor(resource?: Resource, reader?: IMetricReader) {
    this.enabled = reader !== undefined;
    if (reader) this.provider = new MeterProvider({ resource, readers: [reader], views: views() });
    this.#meter = this.provider?.getMeter('@driftloop/service') ?? createNoopMeter();
    if (this.enabled) this.#watchQueues();
  }

  histogram(name: MetricOf<'histogram'>): Histogram {
    const { unit, meaning, buckets } = definitionOf(name);
    const made = () =>
      this.#meter.createHistogram(name, {
        unit,
        description: meaning,
        advice: { explicitBucketBoundaries: [...(buckets ?? [])] },
      });
    return remembered(this.#histograms, name, made);
  }

  counter(name: MetricOf<'counter'>): Counter {
    const { unit, meaning } = definitionOf(name);
    return remembered(this.#counters, name, () => this.#meter.createCounter(name, { unit, description: meaning }));
  }

  /** Has a metric read whenever metrics are collected (I3, I4). Nothing is read where nobody receives it. */
  observe(name: MetricOf<'gauge' | 'total'>, read: Read): void {
    if (!this.enabled) return;
    const { kind, unit, meaning } = definitionOf(name);
    const options = { unit, description: meaning };
    const instrument =
      kind === 'gauge'
        ? this.#meter.createObservableGauge(name, options)
        : this.#meter.createObservableCounter(name, options);
    const told = new Map<string, Attributes>();
    instrument.addCallback(async (result) => {
      try {
        const found = new Map((await read()).map((one) => [JSON.stringify(one.labels ?? {}), one]));
        for (const [key, { value, labels = {} }] of found) {
          result.observe(value, labels);
          told.set(key, labels);
        }
        if (kind === 'gauge') for (const [key, labels] of told) if (!found.has(key)) result.observe(0, labels);
      } catch {
        // I4: a store that is away is told by the service's readiness
      }
    });
  }

  /** Tells of a bounded queue under a name; the same name again replaces it. */
  queue(name: string, capacity: number, read: () => QueueState): void {
    if (this.enabled) this.#queues.set(name, { capacity, read });
  }

  #watchQueues(): void {
    const each = (value: (queue: { capacity: number; state: QueueState }) => number | undefined) => () =>
      [...this.#queues].flatMap(([name, { capacity, read }]) => {
        const found = value({ capacity, state: read() });
        return found === undefined ? [] : [{ value: found, labels: { 'driftloop.queue': name } }];
      });
    this.observe(
      'driftloop.queue.depth',
      each(({ state }) => state.depth),
    );
    this.observe(
      'driftloop.queue.capacity',
      each(({ capacity }) => capacity),
    );
    this.observe(
      'driftloop.queue.dropped',
      each(({ state }) => state.dropped),
    );
    this.observe(
      'driftloop.queue.refused',
      each(({ state }) => state.refused),
    );
  }
}

const definitionOf = (name: MetricName): MetricDefinition => metricCatalogue[name];

/** I1, I2 */
function views() {
  return Object.entries(metricCatalogue).map(([instrumentName, { labels }]) => ({
    instrumentName,
    attributesProcessors: [createAllowListAttributesProcessor([...labels])],
    aggregationCardinalityLimit: mostSeries,
  }));
}

function remembered<T>(known: Map<MetricName, T>, name: MetricName, made: () => T): T {
  const found = known.get(name) ?? made();
  known.set(name, found);
  return found;
}
