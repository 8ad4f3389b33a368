/** Logs: whose they are, and that no secret goes out with them. */
import { LoopError } from '@driftloop/contracts';
import { status } from '@grpc/grpc-js';
import { openLog, readSettings, redacted, secretsOf } from './index.js';
import { statusOf } from './status.js';

const token = 'correct-horse-battery';
const mongo = 'mongodb://driftloop:p4ss:w0rd!@mongo-0:27017,mongo-1:27017/?replicaSet=rs0';
const s3 = 'https://minioadmin:min10-s3cret@s3.example:9000/bucket';

function opened(secrets: string[] = []) {
  const lines: string[] = [];
  const log = openLog('registry', 'trace', {
    replica: 'r-1',
    secrets,
    lines: { write: (line) => void lines.push(line) },
  });
  return { log, lines, text: () => lines.join('') };
}

it('is a line of JSON with the names of the service and the replica', () => {
  const { log, lines } = opened();
  log.warn({ model: 'flights' }, 'late');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0])).toMatchObject({
    level: 40,
    service: 'registry',
    replica: 'r-1',
    model: 'flights',
    msg: 'late',
  });
});

it('tells the stack of an error that nobody expected, and of one that a catalogue has everything else', () => {
  const { log, lines } = opened();
  const details = { model: 'flights' };
  log.error(
    { err: new LoopError('registry', 'UNKNOWN_MODEL', 'no such model', 'NOT_FOUND', false, details) },
    'refused',
  );
  log.error({ err: new LoopError('registry', 'INTERNAL', 'broken', 'INTERNAL', false) }, 'failed');
  log.error({ err: new TypeError('x is undefined') }, 'failed');
  const [refused, internal, unexpected] = lines.map((line) => JSON.parse(line).err);
  expect(refused).toMatchObject({ code: 'UNKNOWN_MODEL', message: 'no such model', details });
  expect(refused).not.toHaveProperty('stack');
  for (const err of [internal, unexpected]) expect(err.stack).toContain('log.spec');
});

it.each<[string, (log: ReturnType<typeof openLog>) => void]>([
  ['in an error of the database', (log) => log.error({ err: new Error(`connect to ${mongo} failed`) }, 'away')],
  ['in an error of the object store', (log) => log.error({ err: new Error(`GET ${s3} timed out`) }, `no ${s3}`)],
  [
    'in headers, however deep',
    (log) =>
      log.info({ request: { headers: { Authorization: `Bearer ${token}`, 'x-api-key': 'p4ss:w0rd!' } } }, 'called'),
  ],
  [
    'in a text of JSON inside a fact',
    (log) => log.info({ body: JSON.stringify({ s3: { secretKey: 'min10-s3cret' } }) }, 'sent'),
  ],
  ['in an environment', (log) => log.info({}, `started with DRIFTLOOP_TOKEN="${token}" S3_SECRET_KEY=min10-s3cret`)],
  [
    'quoted, with what would break the line',
    (log) => log.info({ said: `password="p4ss:w0rd!" and\nmore` }, 'token=\\'),
  ],
])('keeps secrets out %s, and stays JSON', (_where, write) => {
  const { log, lines, text } = opened();
  write(log);
  for (const secret of [token, 'p4ss:w0rd!', 'min10-s3cret']) expect(text()).not.toContain(secret);
  expect(text()).toContain('[secret]');
  expect(() => lines.map((line) => JSON.parse(line))).not.toThrow();
});

it("keeps the house's own secrets out wherever they stand, those of the infrastructure too", () => {
  const settings = readSettings({
    ...{ DRIFTLOOP_MODE: 'cluster', KAFKA_BROKERS: 'k:9092', MONGODB_URI: mongo, S3_ENDPOINT: 'http://s3:9000' },
    ...{ S3_ACCESS_KEY: 'minioadmin', S3_SECRET_KEY: 'min10-s3cret', DRIFTLOOP_TOKEN: token },
  });
  expect(secretsOf(settings)).toEqual(expect.arrayContaining([token, 'min10-s3cret', mongo]));
  const { log, text } = opened(secretsOf(settings));
  log.info({ odd: [`<${token}>`], settings }, 'it is min10-s3cret');
  for (const secret of [token, 'p4ss:w0rd!', 'min10-s3cret']) expect(text()).not.toContain(secret);
});

it('leaves what is no secret as it is', () => {
  for (const text of [
    'the bearer token is not known here',
    'set DRIFTLOOP_TOKEN, or DRIFTLOOP_HOST=127.0.0.1',
    '{"url":"http://127.0.0.1:4318/v1/logs","tokens":12}',
    'labels.added/3 at mail@example.org',
  ])
    expect(redacted(text)).toBe(text);
});

it('tells callers no credential that stands in an error', () => {
  const { log } = opened();
  const error = new LoopError('documents', 'DOCUMENTS_AWAY', `no answer of ${mongo}`, 'UNAVAILABLE', true, {
    uri: mongo,
  });
  const { code, details, metadata } = statusOf(error, log, 'x');
  expect(code).toBe(status.UNAVAILABLE);
  expect(details + metadata.get('driftloop-error-bin').join('')).not.toContain('p4ss');
  expect(details).toContain('[secret]@mongo-0');
});
