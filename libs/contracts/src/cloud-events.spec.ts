/** Facts as CloudEvents: what is written is read back, and what outsiders write is read as far as it can be. */
import { attributesOf, cloudEventHeaders, readCloudEvent, structuredCloudEvent } from './cloud-events.js';

const fact = {
  id: 'e1',
  topic: 'model.promoted',
  key: 'main/flüge',
  time: 1_362_000_000_123,
  source: 'registry',
  data: { model: 'flüge' },
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};
const value = Buffer.from(JSON.stringify(fact.data));
const bytes = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]));

it('reads back what it writes, headers as bytes', () => {
  const record = { key: Buffer.from(fact.key), value, headers: bytes(cloudEventHeaders(fact)), timestamp: '5' };
  expect(readCloudEvent('model.promoted', record)).toEqual(fact);
});

it('names the attributes as the Kafka binding does', () => {
  expect(cloudEventHeaders(fact)).toEqual({
    ce_specversion: '1.0',
    ce_id: 'e1',
    ce_source: '/driftloop/registry',
    ce_type: 'model.promoted',
    ce_subject: 'main/flüge',
    ce_time: '2013-02-27T21:20:00.123Z',
    'content-type': 'application/json',
    traceparent: fact.traceparent,
  });
});

it('reads an outsider that says no more than an id', () => {
  const record = { key: 'JFK', value, headers: { ce_id: 'theirs' }, timestamp: '1362000000123' };
  const read = { id: 'theirs', topic: 't', key: 'JFK', time: 1_362_000_000_123, source: 'external', data: fact.data };
  expect(readCloudEvent('t', record)).toEqual(read);
});

it.each([
  ['ce_id', { headers: {} }],
  ['ce_specversion', { headers: { ce_id: 'x', ce_specversion: '0.3' } }],
  ['ce_time', { headers: { ce_id: 'x', ce_time: 'noon' } }],
  ['the value', { headers: { ce_id: 'x' }, value: Buffer.from('no json') }],
  ['the value', { headers: { ce_id: 'x' }, value: null }],
  ['the value', { headers: { ce_id: 'x' }, value: Buffer.from(`{"a":${'['.repeat(100)}${']'.repeat(100)}}`) }],
])('says that %s is at fault', (path, record) => {
  const reading = () => readCloudEvent('t', { value, ...record });
  expect(reading).toThrow(
    expect.objectContaining({ code: 'CLOUD_EVENT_INVALID', details: expect.objectContaining({ path }) }),
  );
  expect(attributesOf('t', { value, ...record }).topic).toBe('t');
});

it('reads brackets in texts as text', () => {
  const data = { a: '['.repeat(200), b: '\\"{'.repeat(200) };
  const record = { headers: { ce_id: 'x' }, timestamp: '5', value: Buffer.from(JSON.stringify(data)) };
  expect(readCloudEvent('t', record).data).toEqual(data);
});

it('writes one JSON object in structured mode', () => {
  expect(structuredCloudEvent(fact)).toMatchObject({
    specversion: '1.0',
    id: 'e1',
    type: 'model.promoted',
    data: fact.data,
  });
});
