/** Ends of streams: believed when they are meant, however far behind them their reset is. */
import { connect, createServer, type Server } from 'node:net';
import { FeatureStoreClient, FeatureStoreService, FileDescription, IngestReply } from '@driftloop/contracts';
import { testService } from '@driftloop/testing/service';
import type { ServerReadableStream } from '@grpc/grpc-js';
import { Controller, Module } from '@nestjs/common';
import { GrpcStreamCall } from '@nestjs/microservices';
import { grpcClient, type RunningService, type ServiceDefinition } from '../index.js';

/** How the uploads ended, as their handler has it. */
const seen: ('ended' | 'broken off')[] = [];
/** How many of them have begun. */
let begun = 0;

@Controller()
class Uploads {
  @GrpcStreamCall('FeatureStore', 'IngestFile')
  async take(call: ServerReadableStream<unknown, IngestReply>, done: (error: unknown, reply?: IngestReply) => void) {
    try {
      for await (const _ of call) begun++;
      seen.push('ended');
      done(null, IngestReply.fromPartial({}));
    } catch {
      seen.push('broken off');
    }
  }
}

@Module({ controllers: [Uploads] })
class UploadsModule {}

const uploads: ServiceDefinition = {
  name: 'feature-store',
  module: UploadsModule,
  grpc: { packages: { 'driftloop.v1.FeatureStore': FeatureStoreService }, port: 7002 },
};

const [dataFrame, pingFrame] = [0, 6];
const endsStream = 1;
const prefaceBytes = 24;

/** The frames of one direction, one at a time. */
function framesOf(preface: number) {
  let rest = Buffer.alloc(0);
  let at = preface;
  return (chunk: Buffer): Buffer[] => {
    rest = Buffer.concat([rest, chunk]);
    const frames: Buffer[] = [];
    for (;;) {
      const length = at || (rest.length >= 9 ? 9 + rest.readUIntBE(0, 3) : Number.POSITIVE_INFINITY);
      if (rest.length < length) return frames;
      frames.push(rest.subarray(0, length));
      rest = rest.subarray(length);
      at = 0;
    }
  };
}

/** Stands between: what follows the end of a stream goes on when the server asks for a PING, or after a while. */
function slowNetwork(port: number): Server {
  return createServer((client) => {
    const server = connect(port, '127.0.0.1');
    let held: Buffer[] | undefined;
    const release = () => {
      for (const frame of held ?? []) server.write(frame);
      held = undefined;
    };
    const [sent, answered] = [framesOf(prefaceBytes), framesOf(0)];
    client.on('data', (chunk) => {
      for (const frame of sent(chunk)) {
        if (held) {
          held.push(frame);
          continue;
        }
        server.write(frame);
        if (!frame.subarray(0, 3).equals(Buffer.from('PRI')) && frame[3] === dataFrame && frame[4] & endsStream) {
          held = [];
          setTimeout(release, 500).unref();
        }
      }
    });
    server.on('data', (chunk) => {
      for (const frame of answered(chunk)) {
        client.write(frame);
        if (frame[3] === pingFrame) release();
      }
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ]) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
}

let service: RunningService;
let network: Server;
let client: FeatureStoreClient;

beforeEach(async () => {
  seen.length = begun = 0;
  service = await testService(uploads, { logLines: { write: () => {} } });
  network = slowNetwork(service.port);
  await new Promise<void>((resolve) => network.listen(0, '127.0.0.1', resolve));
  client = grpcClient(FeatureStoreClient, `127.0.0.1:${(network.address() as { port: number }).port}`);
});
afterEach(async () => {
  client.close();
  await service.close();
  network.close();
});

/** An upload that has begun, and what it comes to. */
async function upload() {
  const { promise: ended, resolve } = Promise.withResolvers<unknown>();
  const before = begun;
  const stream = client.ingestFile((error) => resolve(error?.code));
  stream.write({ part: { $case: 'description', value: FileDescription.fromPartial({ format: 'csv' }) } });
  await until(() => begun > before);
  return { stream, ended };
}

async function until(met: () => boolean): Promise<void> {
  while (!met()) await new Promise((resolve) => setTimeout(resolve, 5));
}

it('is none where a caller breaks off, and its reset comes long after the end that goes before it', async () => {
  const { stream, ended } = await upload();
  stream.cancel();
  await ended;
  await until(() => seen.length === 1);
  expect(seen).toEqual(['broken off']);
});

it('is one where a caller means it, also many at once on one connection', async () => {
  const uploads = await Promise.all(Array.from({ length: 30 }, upload));
  for (const { stream } of uploads) stream.end();
  expect(await Promise.all(uploads.map(({ ended }) => ended))).toEqual(Array(30).fill(undefined));
  expect(seen).toEqual(Array(30).fill('ended'));
});
