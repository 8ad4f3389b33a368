import { failureLines } from './failure-lines.js';

it('a fault of a spec is a line, with its place first', () => {
  const faults = [
    { path: 'spec.features.0.over', problem: '"48h" is no list: write [48h]', line: 11, column: 50 },
    { path: '(file)', problem: 'larger than 256 KiB' },
  ];
  const message = 'the model spec has 2 fault(s): …';
  expect(failureLines({ code: 'SPEC_INVALID', message, details: { faults, more: 3 } })).toBe(
    'SPEC_INVALID: the model spec has 5 faults\n' +
      '  11:50  spec.features.0.over  "48h" is no list: write [48h]\n' +
      '  (file)  larger than 256 KiB\n  and 3 more',
  );
});

it('any other failure is its code and message', () => {
  expect(failureLines({ code: 'UNKNOWN_MODEL', message: 'no model "x"', details: {} })).toBe(
    'UNKNOWN_MODEL: no model "x"',
  );
  expect(failureLines({ code: 'SPEC_INVALID', message: 'of an older house', details: {} })).toBe(
    'SPEC_INVALID: of an older house',
  );
});
