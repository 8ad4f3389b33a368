/**
 * Metrics of the whole house on a small world: what a collector receives is what the catalogue says, and what docs,
 * alerts and dashboards say is what a collector receives.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { metricCatalogue, prometheusLabel, prometheusSeries } from '@driftloop/service';
import { type ReceivedMetric } from '@driftloop/testing/otlp-wire';
import { openReceiver, type Receiver } from '@driftloop/testing/receiver';
import { parse } from 'yaml';
import { openPlayed } from '../walk/played.js';
import { DAY, parcelsWorld, START } from '../worlds/parcels.js';
import { alertsIn, read, root } from './alerts.js';

const catalogue = new Map(Object.entries(metricCatalogue));
let receiver: Receiver;
let own: ReceivedMetric[];
/** Names of the series that Prometheus gets, with the labels that were seen. */
const series = new Map<string, Set<string>>();
/** Values that were seen, by their label in Prometheus. */
const seen = new Map<string, Set<string>>();

beforeAll(async () => {
  receiver = await openReceiver();
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_METRIC_EXPORT_INTERVAL: '500' };
  const played = await openPlayed(undefined, environment);
  try {
    await played.play(parcelsWorld({ driftAt: 12 }), START + 34 * DAY);
    const stream = await fetch(`${played.house.url}/v1/events`);
    await new Promise((wait) => setTimeout(wait, 1500));
    await stream.body?.cancel();
  } finally {
    await played.close();
  }
  own = receiver.metrics.filter(({ scope }) => scope === '@driftloop/service');
  for (const { name, kind, unit, points } of receiver.metrics) {
    const definition = { kind: kind === 'sum' ? ('counter' as const) : kind, unit };
    for (const one of prometheusSeries(name, definition)) {
      const labels = series.get(one) ?? new Set(['job', 'instance', ...(one.endsWith('_bucket') ? ['le'] : [])]);
      const told = points.flatMap((point) => Object.keys(point.labels));
      // Labels that stand only where something fails.
      const listed = catalogue.get(name)?.labels ?? ['error.type'];
      for (const label of [...told, ...listed]) labels.add(prometheusLabel(label));
      series.set(one, labels);
    }
    for (const [label, value] of points.flatMap((point) => Object.entries(point.labels))) {
      const values = seen.get(prometheusLabel(label)) ?? new Set();
      seen.set(prometheusLabel(label), values.add(String(value)));
    }
  }
}, 300_000);

afterAll(() => receiver?.close());

const pointsOf = (name: string, service: string) =>
  own.findLast((metric) => metric.name === name && metric.service === service)?.points ?? [];
const totals = (name: string, service: string, label: string) =>
  Object.fromEntries(
    pointsOf(name, service).map(({ labels, count, value }) => [labels[label], count ?? value]),
  ) as Record<string, number>;

it('is every metric of the catalogue, and no other of the house', () => {
  expect(receiver.refused).toEqual([]);
  expect([...new Set(own.map(({ name }) => name))].sort()).toEqual([...catalogue.keys()].sort());
});

it('has the units and labels of the catalogue, and few series', () => {
  for (const { name, unit, points } of own) {
    const { unit: declared, labels } = catalogue.get(name)!;
    expect([name, unit]).toEqual([name, declared]);
    const known = new Set<string>(labels);
    for (const point of points)
      expect([name, ...Object.keys(point.labels).filter((l) => !known.has(l))]).toEqual([name]);
    expect(points.length).toBeLessThan(200);
  }
});

it('counts what the loop did', () => {
  const outcomes = totals('driftloop.cycle.duration', 'monitoring', 'driftloop.outcome');
  expect(outcomes.promoted).toBeGreaterThanOrEqual(2);
  const champions = pointsOf('driftloop.champion', 'monitoring');
  expect(champions.length).toBeGreaterThan(1);
  expect(champions.filter(({ value }) => value === 1)).toHaveLength(1);
  expect(totals('driftloop.loop.held', 'monitoring', 'driftloop.by')).toEqual({ person: 0, breaker: 0 });
  expect(pointsOf('driftloop.training.duration', 'training').length).toBeGreaterThan(0);
  expect(totals('driftloop.label.delay', 'labeling', 'driftloop.label')['parcels.late']).toBeGreaterThan(1000);
  const answered = totals('driftloop.prediction.duration', 'serving', 'driftloop.version');
  expect(Object.keys(answered).length).toBeGreaterThan(1);
  expect(totals('driftloop.queue.capacity', 'serving', 'driftloop.queue')).toEqual({
    ...{ 'prediction log': 20_000, 'rows to score': 20_000, 'questions to the feature store': 20_000 },
    ...{ calls: 512, streams: 256, 'bytes in flight': 192 * 1024 * 1024 },
  });
});

it('is described in docs/metrics.md, row by row', () => {
  const rows = [...catalogue].map(([name, { kind, unit, labels, meaning }]) => {
    const shown = labels.map((label: string) => `\`${label}\``).join(', ') || '';
    return `| \`${name}\` | ${kind === 'total' ? 'counter' : kind} | \`${unit}\` | ${shown} | ${meaning} |`;
  });
  const written = read('docs/metrics.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.replaceAll(/ +/g, ' '));
  expect(written).toEqual(rows.map((row) => row.replaceAll(/ +/g, ' ')));
});

const duration = /^\d+[smhd]$/;
/** Words of PromQL that are no series and no label. */
const words = new Set(
  (
    'sum max min avg count by on without ignoring group_left rate increase histogram_quantile clamp_min absent offset ' +
    'unless and or changes delta deriv le bool topk max_over_time min_over_time last_over_time vector time'
  ).split(' '),
);

/** Names of series, and of labels with their series' names unknown, that an expression uses. */
function namesIn(expression: string): { series: string[]; labels: string[] } {
  const bare = expression.replaceAll(/"[^"]*"/g, '""').replaceAll(/\$\w+|\[[^\]]*\]|\boffset \w+/g, '');
  const grouped = [...bare.matchAll(/\b(?:by|on|without|ignoring|group_left)\s*\(([^)]*)\)/g)].flatMap(([, list]) =>
    list.split(','),
  );
  const matched = [...bare.matchAll(/\{([^}]*)\}/g)].flatMap(([, list]) =>
    list.split(',').map((one) => one.split(/=~|!~|!=|=/)[0]),
  );
  const labels = [...grouped, ...matched].map((label) => label.trim()).filter((label) => label);
  const rest = bare.replaceAll(/\b(?:by|on|without|ignoring|group_left)\s*\([^)]*\)/g, '').replaceAll(/\{[^}]*\}/g, '');
  const found = [...rest.matchAll(/[a-zA-Z_:][\w:]*/g)].map(([name]) => name);
  return { series: [...new Set(found.filter((name) => !words.has(name) && !duration.test(name)))], labels };
}

function check(where: string, expression: string): void {
  const { series: used, labels } = namesIn(expression);
  expect(used.length).toBeGreaterThan(0);
  expect([where, ...used.filter((name) => !series.has(name))]).toEqual([where]);
  const known = new Set(used.flatMap((name) => [...(series.get(name) ?? [])]));
  expect([where, ...labels.filter((label) => !known.has(label))]).toEqual([where]);
  // Values of errors are held against the catalogues in alerts.spec.ts: here nothing fails.
  const compared = [...expression.matchAll(/(\w+)(?:=~|!~|!=|=)"([^"]*)"/g)].filter(
    ([, label]) => label !== 'error_type',
  );
  for (const [, label, values] of compared)
    for (const value of values.split('|').filter((one) => one && !one.startsWith('$')))
      expect([where, label, value, seen.get(label)?.has(value)]).toEqual([where, label, value, true]);
}

const rules = () => alertsIn(parse(read('deploy/prometheus/alerts.yml')));

it('has what every alert asks for', () => {
  expect(rules().length).toBeGreaterThan(10);
  for (const { alert, expr } of rules()) check(alert, expr);
});

interface Panel {
  title: string;
  targets?: { expr: string }[];
  panels?: Panel[];
}

it('has what every dashboard draws', () => {
  const folder = 'deploy/grafana/dashboards';
  const files = readdirSync(join(root, folder));
  expect(files.sort()).toEqual(['loop.json', 'services.json']);
  for (const file of files) {
    const { panels } = JSON.parse(read(join(folder, file))) as { panels: Panel[] };
    const targets = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr]));
    expect(targets.length).toBeGreaterThan(6);
    for (const [title, expression] of targets) check(`${file}: ${title}`, expression);
  }
});

it('is collected, scraped and shown by configurations whose parts name each other', () => {
  const collector = parse(read('deploy/otel/collector.yaml'));
  for (const [pipeline, parts] of Object.entries(collector.service.pipelines))
    for (const kind of ['receivers', 'processors', 'exporters'] as const)
      for (const part of (parts as Record<string, string[]>)[kind])
        expect([pipeline, kind, part, part in collector[kind]]).toEqual([pipeline, kind, part, true]);
  const { rule_files: files, scrape_configs: scraped } = parse(read('deploy/prometheus/prometheus.yml'));
  for (const file of files) expect([file, existsSync(join(root, 'deploy/prometheus', file))]).toEqual([file, true]);
  const port = collector.exporters.prometheus.endpoint.split(':').at(-1);
  const targets = scraped.flatMap((one: { static_configs: { targets: string[] }[] }) =>
    one.static_configs.flatMap((config) => config.targets),
  );
  expect(targets).toContain(`otel-collector:${port}`);
  const sources = parse(read('deploy/grafana/provisioning/datasources/driftloop.yaml')).datasources;
  const uids = new Set(sources.map(({ uid }: { uid: string }) => uid));
  for (const file of ['loop.json', 'services.json'])
    for (const uid of read(`deploy/grafana/dashboards/${file}`).matchAll(/"uid": "(prometheus|jaeger)"/g))
      expect(uids).toContain(uid[1]);
});
