/**
 * A small world with everything that is awkward: ties, revisions of labels and of attributes, attributes that become
 * known late or never, missing cells, fractions, rows of entities that nobody asked about, rows that are
 * dated ahead, names that UTF-8 and UTF-16 order otherwise. With the slow definition of its features, for specs.
 */
import type { Random } from '@driftloop/algorithms';
import type { Label, SourceRow, Value } from '@driftloop/contracts';
import { number, text } from './flights.js';

export const hour = 3_600_000;
export const start = Date.UTC(2020, 2, 25);

/** Local time changes on the 29th in Berlin. */
export const awkwardSpec = `
apiVersion: driftloop/v1
kind: Model
metadata: { name: visits }
spec:
  task: binary
  entity: { name: visit, time: planned }
  question: { lead: 2h }
  request: { inputs: { region: text, size: number, planned: time }, source: plan }
  derived: { hour: { from: planned, part: hourOfDay, zone: Europe/Berlin }, day: { from: planned, part: dayOfWeek } }
  sources:
    plan: { columns: { region: text, size: number } }
    seen: { columns: { wait: number } }
    air: { columns: { dust: number, noise: number } }
  features:
    - input: region
    - input: size
    - input: hour
    - input: day
    - { latest: air, columns: [dust, noise], maxAge: 5h }
    - { window: outcomes, aggregate: mean, of: value, as: bad, over: [6h, 30h] }
    - { window: outcomes, aggregate: mean, of: value, as: bad, by: region, over: [12h, 48h] }
    - { window: outcomes, aggregate: count, as: known, by: hour, over: [48h] }
    - { window: seen, aggregate: mean, of: wait, clip: [-3, 7.5], as: wait, over: [3h, 24h] }
    - { window: seen, aggregate: count, as: seen, over: [3h] }
    - { window: seen, aggregate: mean, of: wait, as: wait, by: region, over: [3h, 9h], against: 40h }
    - { window: seen, aggregate: shareAbove, of: wait, above: 1, as: slow, over: [24h], against: 41h }
    - { window: seen, aggregate: count, of: wait, as: timed, by: region, over: [24h] }
    - { window: seen, aggregate: shareAbove, of: wait, above: 2.25, as: slow, by: size, over: [24h] }
    - { overdue: plan, until: seen, over: [4h, 9h], by: region }
  label: { name: bad, closeAfter: 12h, censorAfter: 48h }
`;

const stations = ['station', '\uff21', '\u{1f600}'];

export interface AwkwardWorld {
  plan: SourceRow[];
  seen: SourceRow[];
  air: SourceRow[];
  outcomes: Label[];
}

/** Times fall on quarters of an hour, so that many are equal, and equal to the ends of windows. */
export function awkwardWorld(random: Random, visits: number): AwkwardWorld {
  const quarter = (low: number, high: number) => Math.round(random.uniform(low, high) * 4) * (hour / 4);
  const maybe = (chance: number, value: () => Value) => (random.uniform() < chance ? value() : { kind: undefined });
  const world: AwkwardWorld = { plan: [], seen: [], air: [], outcomes: [] };
  const row = (entityId: string, event: number, known: number, values: Record<string, Value>): SourceRow => ({
    ...{ entityId, eventTime: new Date(event), knownAt: new Date(known), values },
  });
  const attributes = () => ({
    region: maybe(0.9, () => text('nesw'[random.integer(4)])),
    size: maybe(0.9, () => number(random.integer(3) / 2)),
  });
  for (let v = 0; v < visits; v++) {
    const id = `v${v}`;
    const planned = start + quarter(0, 120);
    const known = planned + quarter(-30, random.uniform() < 0.1 ? 6 : -3);
    if (random.uniform() < 0.95) world.plan.push(row(id, planned, known, attributes()));
    if (random.uniform() < 0.2) world.plan.push(row(id, planned, known + quarter(0.25, 20), attributes()));
    if (random.uniform() < 0.85) {
      const at = planned + quarter(-1, 8);
      world.seen.push(row(id, at, at + quarter(0, 1), { wait: maybe(0.8, () => number(random.normal(2, 4))) }));
      if (random.uniform() < 0.15) {
        world.seen.push(row(id, at, at + quarter(1.25, 12), { wait: maybe(0.8, () => number(random.normal(2, 4))) }));
      }
    }
    for (let r = 0, at = planned + quarter(0, 4); r < 3 && random.uniform() < 0.8 ** (r * 4); r++) {
      world.outcomes.push({
        ...{ entityId: id, entityTime: new Date(planned), knownAt: new Date(at), value: random.integer(2) },
        ...{ source: 'x', confidence: 1, revision: r + 1 },
      });
      at += quarter(0.25, 20);
    }
  }
  for (let a = 0; a < 60; a++) {
    const at = start + quarter(-5, 125);
    const values = { dust: maybe(0.8, () => number(random.normal(5, 2))), noise: maybe(0.8, () => number(a)) };
    world.air.push(row(stations[a % 3], at, at + quarter(-4, 3), values));
  }
  return world;
}
