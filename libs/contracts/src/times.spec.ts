/** Times as texts: each is one time, or refused with words that say what to write. */
import { msOfTime, readTime } from './times.js';

const files = { utc: true, epochs: true };
const at = Date.UTC(2013, 2, 8, 10);

it.each([
  '2013-03-08T10:00:00Z',
  '2013-03-08 10:00:00+00',
  '2013-03-08 10:00:00.000000+00:00',
  '2013-03-08T12:00:00+0200',
  '2013-03-08t04:30:00-05:30',
  '2013-03-08 10:00:00 UTC',
  ' 2013-03-08T10:00Z\t',
])('%j is a time for everybody', (text) => {
  expect(msOfTime(text)).toBe(at);
});

it.each([
  ['2013-03-08 10:00:00', at],
  ['2013-03-08', Date.UTC(2013, 2, 8)],
  ['2012-02-29', Date.UTC(2012, 1, 29)],
  ['2013-03-08T10:00:00.1239', at + 123],
])('%j is UTC where a file or a person writes it, and refused where an offset is asked for', (text, ms) => {
  expect([readTime(text, files), 'problem' in readTime(text)]).toEqual([{ ms }, true]);
});

it.each([
  ['1362736800', 0],
  ['1362736800.0', 0],
  ['1362736800.25', 250],
  ['1362736800250', 250],
  ['1362736800250999', 250],
  ['1362736800250999999', 250],
])('%s is an epoch whose unit its size tells', (text, more) => {
  expect(readTime(text, files)).toEqual({ ms: at + more });
});

it.each(['0', '2013', '20130308', '-1362736800', '13627368000', '99999999999', '5000000000'])(
  '%s is no plausible epoch in any unit, and says what to write',
  (text) => {
    expect(readTime(text, files)).toEqual({ problem: expect.stringMatching(/write it as 2013-03-08T10:00:00Z$/) });
  },
);

it.each(['2013-02-30', '2013-02-29T10:00:00Z', '1900-02-29', '2013-13-01', '2013-00-10', '2013-04-31', '2013-04-00'])(
  '%s is a day that no calendar has',
  (text) => {
    expect(readTime(text, files)).toEqual({ problem: `"${text}", a day that no calendar has` });
  },
);

it.each([
  '',
  ' ',
  'noon',
  '2013',
  '2013-3-8',
  '2013-03-08T24:00:00Z',
  '2013-03-08T10:60:00Z',
  '2013-03-08T10:00:60Z',
  '2013-03-08T10:00:00+24:00',
  '2013-03-08T10:00:00EST',
  '0013-03-08',
  '2200-01-01',
  '+002013-03-08T10:00:00Z',
  'Fri Mar 08 2013',
])('%j is no time', (text) => {
  expect(readTime(text, files)).toHaveProperty('problem');
  expect(msOfTime(text, files)).toBeNaN();
});
