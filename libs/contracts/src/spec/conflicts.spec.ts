/** What a new spec is refused for although it reads well, with its place; and that what is kept already still opens. */
import type { LoopError } from '../errors.js';
import { reservedColumns, trainingSetColumns } from './conflicts.js';
import { parseModelSpec, parseNewModelSpec } from './parse.js';
import type { SpecFault } from './references.js';

interface Lines {
  inputs?: string;
  plan?: string;
  seen?: string;
  sources?: string;
  derived?: string;
  features?: string[];
  label?: string;
  more?: string;
}

const specOf = (lines: Lines = {}) => `apiVersion: driftloop/v1
kind: Model
metadata: { name: visits }
spec:
  task: binary
  entity: { name: visit, time: planned }
  question: { lead: 2h }
  request: { inputs: { ${lines.inputs ?? 'region: text'}, planned: time }, source: plan }
  derived: { ${lines.derived ?? ''} }
  sources:
    plan: { columns: { ${lines.plan ?? lines.inputs ?? 'region: text'} } }
    seen: { columns: { ${lines.seen ?? 'wait: number'} } }
    ${lines.sources ?? ''}
  features:
${(lines.features ?? ['{ input: region }']).map((feature) => `    - ${feature}`).join('\n')}
  label: { name: bad, ${lines.label ?? 'closeAfter: 12h, censorAfter: 48h'} }
${lines.more ?? ''}`;

function faultsOf(text: string): SpecFault[] {
  try {
    parseNewModelSpec(text);
  } catch (error) {
    expect((error as LoopError).code).toBe('SPEC_INVALID');
    return (error as LoopError).details.faults as SpecFault[];
  }
  return [];
}

describe('a new spec is refused, by path and line', () => {
  it.each([...trainingSetColumns, 'Label', 'ENTITY_ID'])('for a feature that every training set has: %s', (name) => {
    const problem = expect.stringContaining(`"${name}" is a column of every training set`);
    const asInput = { inputs: `${name}: number`, features: [`{ input: ${name} }`] };
    expect(faultsOf(specOf(asInput))).toMatchObject([{ path: 'spec.features.0', problem, line: 15, column: 7 }]);
    const latest = ['{ input: region }', `{ latest: seen, columns: [${name}], maxAge: 3h }`];
    expect(faultsOf(specOf({ seen: `${name}: number`, features: latest }))).toMatchObject([
      { path: 'spec.features.1', problem, line: 16 },
    ]);
  });

  it('for names that case alone tells apart: columns, inputs, derived inputs, features', () => {
    expect(faultsOf(specOf({ seen: 'temp: number, Temp: number' }))).toMatchObject([
      { path: 'spec.sources.seen.columns.Temp', problem: expect.stringContaining('case alone'), line: 12 },
    ]);
    expect(faultsOf(specOf({ inputs: 'region: text, Region: text' })).map(({ path }) => path)).toEqual([
      'spec.sources.plan.columns.Region',
      'spec.request.inputs.Region',
    ]);
    const hours = 'hour: { from: planned, part: hourOfDay }, Hour: { from: planned, part: hourOfDay }';
    expect(faultsOf(specOf({ derived: hours }))).toMatchObject([{ path: 'spec.derived.Hour', line: 9 }]);
    const named = (as: string) => `{ window: seen, aggregate: count, as: ${as}, over: [2h] }`;
    expect(faultsOf(specOf({ features: [named('waits'), named('Waits')] }))).toMatchObject([
      { path: 'spec.features.1', problem: expect.stringContaining('tell them apart with "as"'), line: 16 },
    ]);
  });

  it('for a feature that is called like an input of the request but is not it', () => {
    const features = ['{ input: region }', '{ latest: seen, columns: [size], maxAge: 3h }'];
    const lines = { inputs: 'region: text, size: number', seen: 'size: number', features };
    expect(faultsOf(specOf(lines))).toMatchObject([
      { path: 'spec.features.1', problem: expect.stringContaining('called like the request input "size"'), line: 16 },
    ]);
  });

  it('for a derived input that is called like an input', () => {
    const lines = { inputs: 'region: text, hour: number', derived: 'hour: { from: planned, part: hourOfDay }' };
    expect(faultsOf(specOf(lines))).toMatchObject([{ path: 'spec.derived.hour', line: 9 }]);
  });

  it('for a source called outcomes, which are the labels', () => {
    expect(faultsOf(specOf({ sources: 'outcomes: { columns: { value: number } }' }))).toMatchObject([
      { path: 'spec.sources.outcomes', line: 13 },
    ]);
  });

  it('for a feature called prediction or probability', () => {
    for (const name of ['prediction', 'probability'])
      expect(faultsOf(specOf({ inputs: `${name}: number`, features: [`{ input: ${name} }`] }))).toMatchObject([
        { path: 'spec.features.0', problem: expect.stringContaining('reserved'), line: 15 },
      ]);
  });

  it('for labels that are given up before their cohort closes', () => {
    expect(faultsOf(specOf({ label: 'closeAfter: 12h, censorAfter: 2h' }))).toMatchObject([
      { path: 'spec.label.censorAfter', problem: expect.stringContaining('"2h" is before closeAfter "12h"'), line: 16 },
    ]);
    expect(faultsOf(specOf({ label: 'closeAfter: 24h, censorAfter: 1d' }))).toEqual([]);
  });

  it.each([
    ['retraining: { check: 0h }', 'spec.retraining.check'],
    ['retraining: { deadlines: { gate: 0d } }', 'spec.retraining.deadlines.gate'],
    ['gate: { slices: [planned] }', 'spec.gate.slices'],
    ['monitoring: { slices: [wait] }', 'spec.monitoring.slices'],
  ])('for what could never come to anything: %s', (more, path) => {
    expect(faultsOf(specOf({ more: `  ${more}` }))).toMatchObject([{ path, line: 17 }]);
  });

  it.each([
    ['aggregate: mean, of: wait, over: [0h]', 'over'],
    ['aggregate: mean, of: wait, over: [2h], above: 3', 'above'],
    ['aggregate: count, over: [2h], clip: [0, 1]', 'clip'],
    ['aggregate: mean, of: wait, over: [2h], clip: [1, 0]', 'clip'],
    ['aggregate: count, over: [2h], by: planned', 'by'],
  ])('for what a window would not heed: %s', (rest, key) => {
    expect(faultsOf(specOf({ features: [`{ window: seen, ${rest} }`] }))).toMatchObject([
      { path: `spec.features.0.${key}`, line: 15 },
    ]);
  });
});

it('a spec that is kept opens as before', () => {
  for (const lines of [{ label: 'closeAfter: 12h, censorAfter: 2h' }, { more: '  retraining: { check: 0h }' }])
    expect(parseModelSpec(specOf(lines)).metadata.name).toBe('visits');
});

it('a training set has a column once, whatever its case', () => {
  expect(reservedColumns(['a', 'A', 'Cohort', 'rid', 'key_a'])).toEqual(['A', 'Cohort']);
});
