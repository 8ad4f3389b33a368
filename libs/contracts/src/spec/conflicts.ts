/**
 * What a new spec says that reads well and fails later: names that meet, times that contradict each other, settings that nothing
 * heeds. A spec that is kept is not asked (parse.ts).
 */
import { own } from '../own.js';
import { durationMs } from './duration.js';
import { featureLayout, outcomesSource } from './features.js';
import type { ModelSpec } from './model-spec.js';
import { apart, namedColumns, type SpecFault } from './references.js';
import { advice } from './suggestion.js';

type Spec = ModelSpec['spec'];
type Report = (path: string, problem: string) => void;

/** The columns of a training set before its features. */
export const trainingSetColumns: readonly string[] = [
  ...['entity_id', 'entity_time', 'question_time', 'cohort', 'label', 'label_known_at'],
];

/** Of these columns, those that a training set cannot hold: it has such ones itself, or another of them; case does not tell them apart. */
export function reservedColumns(names: readonly string[]): string[] {
  const lower = names.map((name) => name.toLowerCase());
  return names.filter((_, i) => trainingSetColumns.includes(lower[i]) || lower.indexOf(lower[i]) !== i);
}

/** Every conflict in a spec whose references hold. */
export function conflicts({ spec }: ModelSpec): SpecFault[] {
  const faults: SpecFault[] = [];
  const report: Report = (path, problem) => {
    faults.push({ path: `spec.${path}`, problem });
  };
  checkSources(spec, report);
  checkInputs(spec, report);
  checkColumns(spec, report);
  spec.features.forEach((feature, i) => {
    checkFeature(spec, feature, `features.${i}`, report);
  });
  checkTimes(spec, report);
  checkSlices(spec, report);
  return faults;
}

function checkSources({ sources }: Spec, report: Report) {
  if (Object.hasOwn(sources, outcomesSource))
    report(`sources.${outcomesSource}`, `"${outcomesSource}" are the labels themselves; call the source otherwise`);
  for (const [source, { columns }] of Object.entries(sources))
    checkCase(Object.keys(columns), (column) => `sources.${source}.columns.${column}`, report);
}

/** Tables of rows and training sets do not tell case apart. */
function checkCase(names: readonly string[], at: (name: string) => string, report: Report) {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) report(at(name), `"${name}" differs from "${other}" by case alone; choose another name`);
    else seen.set(name.toLowerCase(), name);
  }
}

function checkInputs({ request, derived }: Spec, report: Report) {
  checkCase(Object.keys(request.inputs), (name) => `request.inputs.${name}`, report);
  checkCase(Object.keys(derived), (name) => `derived.${name}`, report);
  const inputs = new Map(Object.keys(request.inputs).map((name) => [name.toLowerCase(), name]));
  for (const name of Object.keys(derived)) {
    const input = inputs.get(name.toLowerCase());
    if (input !== undefined) report(`derived.${name}`, `"${input}" is a request input already; choose another name`);
  }
}

function checkColumns(spec: Spec, report: Report) {
  const { inputs } = spec.request;
  const ofRequest = new Map(
    [...Object.keys(inputs), ...Object.keys(spec.derived)].map((name) => [name.toLowerCase(), name]),
  );
  const seen = new Map<string, string>();
  for (const { name, at } of namedColumns(spec)) {
    const lower = name.toLowerCase();
    const [other, input] = [seen.get(lower), ofRequest.get(lower)];
    if (trainingSetColumns.includes(lower))
      report(at, `"${name}" is a column of every training set; ${otherwise(spec, at)}`);
    else if (other !== undefined && other !== name)
      report(at, `the columns "${name}" and "${other}" differ by case alone; ${apart(spec, at)}`);
    else if (input !== undefined && !('input' in featureAt(spec, at)))
      report(at, `the column "${name}" is called like the request input "${input}"; ${apart(spec, at)}`);
    seen.set(lower, name);
  }
}

const featureAt = (spec: Spec, at: string) => spec.features[Number(at.slice(at.indexOf('.') + 1))];
const otherwise = (spec: Spec, at: string) =>
  'input' in featureAt(spec, at) ? 'call the input otherwise' : apart(spec, at);

function checkFeature(spec: Spec, feature: Spec['features'][number], at: string, report: Report) {
  if ('over' in feature)
    for (const window of feature.over)
      if (durationMs(window) === 0) report(`${at}.over`, `"${window}" holds nothing; write a longer window`);
  if ('by' in feature && feature.by && own(spec.request.inputs, feature.by) === 'time')
    report(`${at}.by`, `"${feature.by}" is a time; derive a part of it, and go by that`);
  if (!('window' in feature)) return;
  const { aggregate, clip, above } = feature;
  if (above !== undefined && aggregate !== 'shareAbove')
    report(`${at}.above`, `is for shareAbove alone; leave it out of a ${aggregate}`);
  if (clip && aggregate !== 'mean') report(`${at}.clip`, `is for a mean alone; leave it out of ${aggregate}`);
  if (clip && !(clip[0] < clip[1]))
    report(`${at}.clip`, `[${clip.join(', ')}] is no range; write [least, most], the smaller one first`);
}

function checkTimes({ label, retraining }: Spec, report: Report) {
  if (durationMs(label.censorAfter) < durationMs(label.closeAfter))
    report(
      'label.censorAfter',
      `"${label.censorAfter}" is before closeAfter "${label.closeAfter}": a label would be given up while its cohort is open; write as much or more`,
    );
  if (durationMs(retraining.check) === 0)
    report('retraining.check', 'must be longer than 0; write how often, such as 1d');
  for (const [stage, deadline] of Object.entries(retraining.deadlines))
    if (durationMs(deadline) === 0)
      report(`retraining.deadlines.${stage}`, 'must be longer than 0: every cycle would end at once');
}

/** Slices are values of columns that are learned from. */
function checkSlices(spec: Spec, report: Report) {
  const { numbers, texts } = featureLayout({ spec } as ModelSpec);
  const columns = [...texts, ...numbers];
  const check = (at: string, slices: readonly string[]) => {
    for (const slice of slices)
      if (!columns.includes(slice))
        report(at, `"${slice}" is no feature, so nothing is sliced by it; ${advice(slice, columns)}`);
  };
  const { inputs } = spec.request; // what is no input at all, references.ts reports
  check(
    'gate.slices',
    spec.gate.slices.filter((name) => Object.hasOwn(inputs, name) || Object.hasOwn(spec.derived, name)),
  );
  check('monitoring.slices', spec.monitoring.slices);
}
