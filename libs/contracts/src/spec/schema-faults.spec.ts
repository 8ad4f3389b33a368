/** Faults of a spec's shape: each says what was probably meant, what is allowed, and where. */
import type { LoopError } from '../errors.js';
import { parseModelSpec } from './parse.js';
import type { SpecFault } from './references.js';

const specOf = ({ features = ['{ input: region }'], sources = '', more = '' } = {}) => `apiVersion: driftloop/v1
kind: Model
metadata: { name: visits }
spec:
  task: binary
  entity: { name: visit, time: planned }
  question: { lead: 2h }
  request: { inputs: { region: text, planned: time }, source: plan }
  sources: { plan: { columns: { region: text } }, seen: { columns: { wait: number } }${sources} }
  features:
${features.map((feature) => `    - ${feature}`).join('\n')}
  label: { name: bad, closeAfter: 12h, censorAfter: 48h }
${more}`;

function faultsOf(text: string): SpecFault[] {
  try {
    parseModelSpec(text);
  } catch (error) {
    return (error as LoopError).details.faults as SpecFault[];
  }
  return [];
}
const ofFeature = (feature: string) => faultsOf(specOf({ features: [feature] }));
const window = (more: string) => ofFeature(`{ window: seen, ${more} }`);

describe('of several kinds of features', () => {
  it('the one that was meant is told of, whatever else the others lack', () => {
    expect(window('aggregate: mean, of: wait, over: 48h')).toEqual([
      { path: 'spec.features.0.over', problem: '"48h" is no list: write [48h]', line: 11, column: 50 },
    ]);
    expect(window('aggregate: mean, of: wait, over: [2 hours]')).toMatchObject([
      { path: 'spec.features.0.over.0', problem: expect.stringContaining('such as "12h"'), line: 11 },
    ]);
    expect(window('aggregate: avg, of: wait, over: [2h]')).toMatchObject([
      { path: 'spec.features.0.aggregate', problem: '"avg" is not allowed: one of mean, count, shareAbove' },
    ]);
    expect(ofFeature('{ latest: seen, columns: wait, maxAge: 3h }')).toMatchObject([
      { path: 'spec.features.0.columns', problem: '"wait" is no list: write [wait]' },
    ]);
    expect(ofFeature('{ overdue: plan, until: seen, over: [2h] }')).toMatchObject([
      { path: 'spec.features.0.by', problem: 'is missing: write a text' },
    ]);
  });

  it.each([
    ['{ windw: seen, aggregate: mean, of: wait, over: [2h] }', 'windw', 'window'],
    ['{ window: seen, agregate: mean, of: wait, over: [2h] }', 'agregate', 'aggregate'],
    ['{ latest: seen, column: [wait], maxAge: 3h }', 'column', 'columns'],
    ['{ latest: seen, columns: [wait], maxage: 3h }', 'maxage', 'maxAge'],
    ['{ inputt: region }', 'inputt', 'input'],
  ])('a misspelt key is one fault, with the key that was meant: %s', (feature, key, meant) => {
    expect(ofFeature(feature)).toMatchObject([
      { path: `spec.features.0.${key}`, problem: expect.stringContaining(`did you mean "${meant}"?`), line: 11 },
    ]);
  });

  it.each([
    ['region', 'write { input: region }, or another of input, latest, window, overdue'],
    [
      '{ nobody: 1 }',
      '{ nobody } is none of what may stand here: it begins with one of input, latest, window, overdue',
    ],
    ['{}', 'one of input, latest, window, overdue'],
    ['[region]', 'a list is none'],
    ['~', 'null is none'],
    ['7', '7 is none'],
  ])('all are named where none was meant: %s', (feature, problem) => {
    expect(ofFeature(feature)).toMatchObject([
      { path: 'spec.features.0', problem: expect.stringContaining(problem), line: 11, column: 7 },
    ]);
  });

  it('hold of triggers alike', () => {
    const any = (trigger: string) => faultsOf(specOf({ more: `  retraining: { any: [${trigger}] }` }));
    expect(any('{ growth: 0.3 }')).toMatchObject([
      { path: 'spec.retraining.any.0.growth', problem: '0.3 is a number: write { atLeast }', line: 13 },
    ]);
    expect(any('{ drift: { atLeast: 1 } }')).toMatchObject([
      { path: 'spec.retraining.any.0', problem: expect.stringContaining('one of growth, calibrationGap') },
    ]);
    expect(any('{ calibrationgap: { atLeast: 1 } }')).toMatchObject([
      { problem: expect.stringContaining('did you mean "calibrationGap"?') },
    ]);
  });
});

describe('elsewhere', () => {
  it('each key that is not known is a fault of its own, at its own place', () => {
    expect(faultsOf(specOf({ more: '  gates: {}\n  monitring: {}\n  x: 1\n' }))).toMatchObject([
      { path: 'spec.gates', problem: expect.stringContaining('did you mean "gate"?'), line: 13, column: 3 },
      { path: 'spec.monitring', problem: expect.stringContaining('did you mean "monitoring"?'), line: 14 },
      { path: 'spec.x', problem: expect.stringMatching(/no such key "x" here; known: task, entity/), line: 15 },
    ]);
  });

  it.each([
    ['training: { parameters: { trees: "300" } }', 'trees', '"300" is a text: write a number, without quotes'],
    ['training: { parameters: { trees: 2.5 } }', 'trees', '2.5 is not whole: write a whole number'],
    ['monitoring: { window: 14 }', 'window', '14 is a number: write a text, in quotes where it looks like another'],
    ['monitoring: { psi: }', 'psi', 'is empty: write { warnAt }'],
    ['training: { parameters: { trees: 0 } }', 'trees', '0 is out of bounds; write at least 1'],
    ['training: { parameters: { trees: 9000 } }', 'trees', '9000 is out of bounds; write at most 5000'],
    ['rollout: { shadow: { margin: 0 } }', 'margin', '0 is out of bounds; write more than 0'],
    ['retraining: { any: [] }', 'any', 'has 0 entries; write at least 1'],
    ['cohort: { startsAt: 9am }', 'startsAt', 'write a time of day, UTC, in quotes, such as "09:00"'],
    ['derived: { hour: { from: planned, part: hourofday } }', 'part', 'did you mean "hourOfDay"?'],
  ])('what is wrong, what is wanted and how to write it: %s', (line, key, problem) => {
    expect(faultsOf(specOf({ more: `  ${line}` }))).toMatchObject([
      { path: expect.stringMatching(`${key}$`), problem: expect.stringContaining(problem), line: 13 },
    ]);
  });

  it('kinds of columns are suggested too', () => {
    expect(faultsOf(specOf({ sources: ', more: { columns: { a: numbr } }' }))).toMatchObject([
      { path: 'spec.sources.more.columns.a', problem: expect.stringContaining('did you mean "number"?'), line: 9 },
    ]);
  });

  it('so are names that refer to what is not there', () => {
    expect(ofFeature('{ input: regoin }')).toMatchObject([{ problem: expect.stringContaining('mean "region"') }]);
    expect(ofFeature('{ latest: sen, columns: [wait], maxAge: 3h }')).toMatchObject([
      { path: 'spec.features.0.latest', problem: expect.stringContaining('mean "seen"') },
    ]);
    expect(window('aggregate: mean, of: wiat, over: [2h]')).toMatchObject([
      { path: 'spec.features.0.of', problem: expect.stringContaining('mean "wait"') },
    ]);
  });

  it('a second time as an input says that there is one', () => {
    const text = specOf().replace('region: text, planned: time', 'region: text, planned: time, seen_at: time');
    expect(faultsOf(text)).toMatchObject([
      { path: 'spec.request.inputs.seen_at', problem: expect.stringContaining('only the entity'), line: 8 },
    ]);
  });
});
