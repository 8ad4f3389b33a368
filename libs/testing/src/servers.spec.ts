/** Which servers there are is said by the environment, and a spec without its server says why it is skipped. */
import { checkName, describeOn, serversOf, whySkipped } from './servers.js';

const s3 = { S3_ENDPOINT: 'http://127.0.0.1:9000', S3_ACCESS_KEY: 'key', S3_SECRET_KEY: 'secret' };

it('knows a server when all of its variables are set', () => {
  expect(serversOf({})).toEqual({});
  expect(serversOf({ KAFKA_BROKERS: 'a:1, b:2,', MONGODB_URI: '' })).toEqual({ kafka: { brokers: ['a:1', 'b:2'] } });
  expect(serversOf({ ...s3, S3_SECRET_KEY: undefined })).toEqual({});
  expect(serversOf(s3).minio).toEqual({ endpoint: 'http://127.0.0.1:9000', accessKey: 'key', secretKey: 'secret' });
});

it('says which variables a skipped spec lacks, and what to do', () => {
  expect(whySkipped(['kafka'], {})).toBe(
    'KAFKA_BROKERS is not set; npm run integration starts real servers where there is Docker',
  );
  expect(whySkipped(['mongod', 'minio'], { S3_ENDPOINT: 'x' })).toMatch(
    /^MONGODB_URI, S3_ACCESS_KEY, S3_SECRET_KEY are not set/,
  );
  expect(whySkipped(['minio'], s3)).toBeUndefined();
});

it('refuses a spec whose name does not say what it needs', () => {
  expect(() => checkName('/room/bus.kafka.spec.ts', ['kafka'])).not.toThrow();
  expect(() => checkName('/room/loop.cluster.spec.ts', ['kafka', 'minio'])).not.toThrow();
  expect(() => checkName('/room/bus.spec.ts', ['kafka'])).toThrow('is named *.kafka.spec.ts');
  expect(() => checkName('/room/bus.kafka.spec.ts', ['kafka', 'mongod'])).toThrow('is named *.cluster.spec.ts');
  expect(() => describeOn(['mongod'], 'this spec', () => {})).toThrow('is named *.mongod.spec.ts');
});
