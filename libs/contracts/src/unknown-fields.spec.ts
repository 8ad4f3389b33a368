import { events } from './events.js';

const row = { entityId: 'F1', eventTime: '2013-01-01T00:00:00Z', knownAt: '2013-01-01T00:00:00Z' };
const unknown = (data: unknown) => events.entitiesObserved.unknownFields!(data);

it('are none in what is written as the message has it, in either spelling', () => {
  const values = { temp: { number: 1 }, dest: { text: 'JFK' } };
  expect(unknown({ model: 'm', source: 's', rows: [{ ...row, values }], watermark: '2013-01-01T00:00:00Z' })).toEqual(
    [],
  );
  expect(unknown({ rows: [{ entity_id: 'F1', event_time: row.eventTime, known_at: row.knownAt }] })).toEqual([]);
});

it('are told by their paths, each once, however many rows have it', () => {
  const rows = [1, 2, 3].map((n) => ({ ...row, eventTme: 'x', values: { temp: { numbr: n } } }));
  expect(unknown({ model: 'm', watermrk: 'x', rows, constructor: 1 })).toEqual([
    'watermrk',
    'rows[].eventTme',
    'rows[].values{}.numbr',
    'constructor',
  ]);
});

it('are looked for in whatever came, and told up to twenty', () => {
  for (const data of [null, 1, 'x', [], { rows: 1 }, { rows: [null, 1, 'x'] }, { rows: [{ values: [1] }] }])
    expect(unknown(data)).toEqual([]);
  expect(unknown(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`x${i}`, 1])))).toHaveLength(20);
});
