/** Streams both ways: every way in which a handler can fail ends the call with a typed error. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { FeatureStoreClient, FeatureStoreService, IngestReply, IngestRequest, type Role } from '@driftloop/contracts';
import { testService } from '@driftloop/testing/service';
import { type Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { Controller, Module } from '@nestjs/common';
import { GrpcStreamCall } from '@nestjs/microservices';
import {
  Credentials,
  callerOf,
  errorKey,
  grpcClient,
  type RunningService,
  Secret,
  type ServiceDefinition,
} from './index.js';
import { errors } from './testing/tiny-service.js';

const unknown = errors.LABEL_UNKNOWN({ label: 'x' });
const reply = (accepted: number): IngestReply => IngestReply.fromPartial({ accepted });

@Controller()
class Streaming {
  @GrpcStreamCall('FeatureStore', 'Ingest')
  async ingest(call: ServerDuplexStream<IngestRequest, IngestReply>) {
    for await (const { source } of call as AsyncIterable<IngestRequest>) {
      call.write(reply(callerOf(call.metadata).tenant.length));
      if (source === 'thrown') throw unknown;
      if (source === 'crash') throw new TypeError('secret');
      if (source === 'emitted') call.emit('error', unknown);
      if (source === 'destroyed') call.destroy(unknown);
    }
    call.end();
  }
}

@Module({ controllers: [Streaming] })
class StreamingModule {}

const streaming: ServiceDefinition = {
  name: 'feature-store',
  module: StreamingModule,
  grpc: { packages: { 'driftloop.v1.FeatureStore': FeatureStoreService }, port: 7002 },
};

let service: RunningService;
let client: FeatureStoreClient;

beforeAll(async () => {
  service = await testService(streaming, { logLines: { write: () => {} } });
  client = grpcClient(FeatureStoreClient, `127.0.0.1:${service.port}`);
});
afterAll(async () => {
  client.close();
  await service.close();
});

interface End {
  replies: number;
  code: number;
  metadata: Metadata;
}

function asked(sources: string[]): Promise<End> {
  const stream = client.ingest();
  let replies = 0;
  stream.on('data', () => replies++);
  stream.on('error', () => {});
  for (const source of sources) stream.write(IngestRequest.fromPartial({ source }));
  stream.end();
  return new Promise((resolve) => stream.on('status', ({ code, metadata }) => resolve({ replies, code, metadata })));
}

it('answers until the client ends', async () => {
  expect(await asked(['a', 'b', 'c'])).toMatchObject({ replies: 3, code: status.OK });
});

it.each([
  ['thrown', 'LABEL_UNKNOWN', status.NOT_FOUND],
  ['emitted', 'LABEL_UNKNOWN', status.NOT_FOUND],
  ['destroyed', 'LABEL_UNKNOWN', status.NOT_FOUND],
  ['crash', 'INTERNAL', status.INTERNAL],
])('ends the call with the error that is %s', async (source, code, expected) => {
  const end = await asked(['a', source]);
  expect(end.code).toBe(expected);
  expect(JSON.parse(end.metadata.get(errorKey)[0].toString())).toMatchObject({ code });
});

it.each([
  ['holds no more', [], status.UNAUTHENTICATED, 'CREDENTIAL_REFUSED'],
  ['no longer suffices', ['reader'] as const, status.PERMISSION_DENIED, 'ROLE_MISSING'],
])('ends a call whose token %s', async (_, roles, code, error) => {
  const environment = { DRIFTLOOP_TOKEN: 'the-token-of-somebody-else' };
  const guarded = await testService(streaming, { environment, logLines: { write: () => {} } });
  const credentials = guarded.app.get(Credentials);
  const sha256 = createHash('sha256').update('the-token-of-ana').digest('hex');
  const ana = (given: readonly Role[]) => ({ name: 'ana', sha256, roles: [...given], tenant: 'main' });
  credentials.replace([ana(['admin'])]);
  const hers = grpcClient(FeatureStoreClient, `127.0.0.1:${guarded.port}`, new Secret('the-token-of-ana'));
  const stream = hers.ingest();
  const ended = new Promise<End>((resolve) =>
    stream.on('status', (end) => resolve({ replies: 0, code: end.code, metadata: end.metadata })),
  );
  stream.on('error', () => {});
  stream.write(IngestRequest.fromPartial({ source: 'a' }));
  await once(stream, 'data');
  credentials.replace([ana(['admin'])]);
  stream.write(IngestRequest.fromPartial({ source: 'b' }));
  await once(stream, 'data');
  credentials.replace(roles.length ? [ana(roles)] : []);
  const end = await ended;
  expect([end.code, JSON.parse(end.metadata.get(errorKey)[0].toString()).code]).toEqual([code, error]);
  hers.close();
  await guarded.close();
});
