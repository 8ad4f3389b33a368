/** Names in a spec that refer to something that is not there, or to the wrong kind of thing. */

import { own } from '../own.js';
import { durationMs } from './duration.js';
import { featureColumns, outcomesSource } from './features.js';
import type { ModelSpec } from './model-spec.js';
import { advice } from './suggestion.js';

/** One fault of a spec: where it is and what to do. */
export interface SpecFault {
  path: string;
  problem: string;
  /** In the text, from 1 on; absent where the whole text is meant. */
  line?: number;
  column?: number;
}

type Spec = ModelSpec['spec'];
type Feature = Spec['features'][number];
type Report = (path: string, problem: string) => void;

const inputNames = (spec: Spec) => new Set([...Object.keys(spec.request.inputs), ...Object.keys(spec.derived)]);

/** Every broken reference of a spec that is otherwise well-formed; empty when there is none. */
export function brokenReferences({ spec }: ModelSpec): SpecFault[] {
  const faults: SpecFault[] = [];
  const report: Report = (path, problem) => {
    faults.push({ path: `spec.${path}`, problem });
  };
  checkRequest(spec, report);
  checkRanges(spec, report);
  spec.features.forEach((feature, i) => {
    checkFeature(spec, feature, `features.${i}`, report);
  });
  if (!faults.length) checkColumnNames(spec, report);
  for (const slice of spec.gate.slices)
    if (!inputNames(spec).has(slice)) report('gate.slices', `no input "${slice}"; ${advice(slice, inputNames(spec))}`);
  if (spec.gate.embargo.minDays > spec.gate.embargo.maxDays) report('gate.embargo', 'minDays is above maxDays');
  return faults;
}

function checkRequest(spec: Spec, report: Report) {
  const { inputs, source } = spec.request;
  if (own(inputs, spec.entity.time) !== 'time')
    report('entity.time', `"${spec.entity.time}" must be a request input of type time`);
  const columns = own(spec.sources, source)?.columns;
  if (!columns) report('request.source', `no source "${source}"; ${advice(source, Object.keys(spec.sources))}`);
  else
    for (const [input, type] of Object.entries(inputs))
      if (input !== spec.entity.time && own(columns, input) !== type)
        report(
          `${type === 'time' ? `request.inputs.${input}` : `sources.${source}.columns`}`,
          notInSource(input, type),
        );
  for (const [name, derived] of Object.entries(spec.derived)) {
    if (own(inputs, derived.from) !== 'time')
      report(`derived.${name}.from`, `"${derived.from}" must be a request input of type time`);
    if (!isTimeZone(derived.zone))
      report(
        `derived.${name}.zone`,
        `"${derived.zone}" is not a time zone; write an IANA name such as America/New_York`,
      );
  }
}

const notInSource = (input: string, type: 'number' | 'text' | 'time') =>
  type === 'time'
    ? `"${input}" is a second time: only the entity's own time may be one; make it a number or a text`
    : `"${input}" must be here too, as ${type}: history is looked up there`;

function checkRanges(spec: Spec, report: Report) {
  for (const [source, { columns, ranges }] of Object.entries(spec.sources))
    for (const [column, [least, most]] of Object.entries(ranges)) {
      const at = `sources.${source}.ranges.${column}`;
      if (own(columns, column) !== 'number') report(at, `"${column}" is no number column of ${source}`);
      if (!(least < most)) report(at, `[${least}, ${most}] is no range; write [least, most], the smaller one first`);
    }
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function checkFeature(spec: Spec, feature: Feature, at: string, report: Report) {
  const inputs = inputNames(spec);
  if ('input' in feature) {
    if (!inputs.has(feature.input))
      report(`${at}.input`, `no input "${feature.input}"; ${advice(feature.input, inputs)}`);
    if (own(spec.request.inputs, feature.input) === 'time')
      report(`${at}.input`, 'a time is no feature; derive a part of it');
    return;
  }
  const operation = 'latest' in feature ? 'latest' : 'window' in feature ? 'window' : 'overdue';
  const source = 'latest' in feature ? feature.latest : 'window' in feature ? feature.window : feature.overdue;
  const outcomes = 'window' in feature && source === outcomesSource;
  const columns = outcomes ? { value: 'number' } : own(spec.sources, source)?.columns;
  if (!columns) {
    const sources = [...Object.keys(spec.sources), ...('window' in feature ? [outcomesSource] : [])];
    report(`${at}.${operation}`, `no source "${source}"; ${advice(source, sources)}`);
    return;
  }
  if ('latest' in feature) {
    for (const column of feature.columns)
      if (own(columns, column) !== 'number') report(`${at}.columns`, noNumber(column, source, columns));
    return;
  }
  if (feature.by && !inputs.has(feature.by))
    report(`${at}.by`, `no input "${feature.by}"; ${advice(feature.by, inputs)}`);
  if ('overdue' in feature) {
    if (!own(spec.sources, feature.until))
      report(`${at}.until`, `no source "${feature.until}"; ${advice(feature.until, Object.keys(spec.sources))}`);
    return;
  }
  if (feature.aggregate !== 'count' && !feature.of) report(`${at}.of`, `${feature.aggregate} needs a column`);
  if (feature.of && own(columns, feature.of) !== 'number') report(`${at}.of`, noNumber(feature.of, source, columns));
  if (feature.aggregate === 'shareAbove' && feature.above === undefined)
    report(`${at}.above`, 'shareAbove needs a bound');
  checkAgainst(feature, at, report);
}

function noNumber(column: string, source: string, columns: Readonly<Record<string, string>>): string {
  if (own(columns, column) === 'text') return `"${column}" of ${source} is a text; only numbers are aggregated`;
  const numbers = Object.keys(columns).filter((name) => own(columns, name) === 'number');
  return `"${column}" is no number column of ${source}; ${advice(column, numbers)}`;
}

function checkAgainst(feature: Extract<Feature, { window: string }>, at: string, report: Report) {
  const { against, aggregate, over } = feature;
  if (against === undefined) return;
  if (aggregate === 'count') report(`${at}.against`, 'counts of windows of two lengths do not compare; use a mean');
  for (const window of over)
    if (durationMs(window) >= durationMs(against))
      report(`${at}.against`, `"${against}" must be longer than the window "${window}"`);
}

/** Columns that a spec may have: windows times aggregates grow faster than its text. */
const mostColumns = 2000;
/** Names that the model's graph has for itself. */
const isOfGraph = (name: string) => name === 'probability' || name === 'prediction' || name.startsWith('driftloop_');

function checkColumnNames(spec: Spec, report: Report) {
  const columns = namedColumns(spec);
  if (columns.length > mostColumns) report('features', `${columns.length} columns; at most ${mostColumns}`);
  const seen = new Map<string, string>();
  for (const { name, at } of columns) {
    const other = seen.get(name);
    if (other !== undefined) report(at, `the column "${name}" is in ${other} too; ${apart(spec, at)}`);
    else if (isOfGraph(name)) report(at, `"${name}" is a reserved name; choose another for the column`);
    seen.set(name, at);
  }
}

/** Each feature's columns, with the path of the feature. */
export function namedColumns(spec: Spec): { name: string; at: string }[] {
  return spec.features.flatMap((feature, i) =>
    featureColumns({ spec: { ...spec, features: [feature] } } as ModelSpec).map(({ name }) => ({
      name,
      at: `features.${i}`,
    })),
  );
}

/** How a feature's column is called otherwise. */
export function apart(spec: Spec, at: string): string {
  const feature = spec.features[Number(at.slice(at.indexOf('.') + 1))];
  if ('window' in feature) return 'tell them apart with "as"';
  if ('latest' in feature) return 'call the column otherwise in its source, or leave it out here';
  return 'input' in feature ? 'name an input once' : 'ask for each window once';
}
