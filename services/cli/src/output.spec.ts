import { columns, evidence, figure, when } from './output.js';

describe('columns', () => {
  it('are as wide as their widest cell, numbers to the right, nothing trailing', () => {
    const rows = [
      ['v1', 9, 'yes'],
      ['v10', 1234, 'no'],
    ];
    expect(columns(['version', 'rows', 'ok'], rows).split('\n')).toEqual([
      'version  rows  ok',
      'v1          9  yes',
      'v10      1234  no',
    ]);
  });

  it('keep numbers to the right where some are missing', () => {
    expect(columns(['loss'], [[0.5125], ['–']]).split('\n')).toEqual(['  loss', '0.5125', '     –']);
  });

  it('are their header where there are no rows', () => {
    expect(columns(['a', 'b'], [])).toBe('a  b');
  });
});

it('shows times to the minute, numbers to four digits, and a dash for nothing', () => {
  expect([when(new Date('2013-02-15T12:34:56Z')), when(undefined)]).toEqual(['2013-02-15 12:34', '–']);
  expect([figure(0.123456), figure(123456), figure(1e-9)]).toEqual([0.1235, 123500, 1e-9]);
});

it('tells evidence in one line: the test, the figure, the bar, whether it holds, and on how much', () => {
  const found = {
    test: 'calibration_gap',
    subject: 'v2',
    statistic: 0.06,
    threshold: 0.05,
    holds: true,
    rows: 9,
    days: 3,
  };
  expect(evidence(found)).toBe('calibration gap (v2): 0.06 against 0.05, yes, 9 rows in 3 days');
  expect(evidence({ ...found, subject: '', rows: 0, holds: false, note: 'z 1.2' })).toBe(
    'calibration gap: 0.06 against 0.05, no; z 1.2',
  );
});
