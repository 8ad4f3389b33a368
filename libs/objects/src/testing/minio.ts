/** For the specs of a bucket: stores in a bucket of their own, and a way to MinIO on which things go wrong. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Servers } from '@driftloop/testing/servers';
import { Client } from 'minio';
import { MinioObjects, type MinioOptions } from '../minio.js';

export interface BucketGround {
  readonly objects: MinioObjects;
  readonly options: MinioOptions;
  readonly folder: string;
  /** The server itself, past the port. */
  readonly raw: Client;
  reopen(changes?: Partial<MinioOptions>): Promise<MinioObjects>;
  close(): Promise<void>;
}

/** A bucket and a cache, new for one fact. */
export async function openBucket(minio: Servers['minio'], changes: Partial<MinioOptions> = {}): Promise<BucketGround> {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-bucket-'));
  const bucket = `objects-${randomUUID()}`;
  const options = { ...minio, bucket, cache: { folder: join(folder, 'cache') }, ...changes };
  const { hostname, port } = new URL(minio.endpoint);
  const raw = new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    region: 'us-east-1',
    ...keysOf(minio),
  });
  const reopen = (more: Partial<MinioOptions> = {}) => MinioObjects.open({ ...options, ...more });
  const objects = await reopen();
  const close = async () => {
    const names: string[] = [];
    if (!(await raw.bucketExists(bucket))) return;
    for await (const { name } of raw.listObjectsV2(bucket, '', true)) names.push(name!);
    await raw.removeObjects(bucket, names);
    await raw.removeBucket(bucket);
    await rm(folder, { recursive: true, force: true });
  };
  return { objects, options, folder, raw, reopen, close };
}

function keysOf({ accessKey, secretKey }: Servers['minio']) {
  return { accessKey, secretKey };
}

/** What happens to a request on its way: it passes, is answered 503, is cut in the middle of its answer, or is never answered. */
export type Fate = 'pass' | 'busy' | 'cut' | 'silence';

/** A proxy before MinIO. `fate` is asked for each request. */
export async function openWay(endpoint: string, fate: (request: http.IncomingMessage) => Fate) {
  const { hostname, port } = new URL(endpoint);
  const server = http.createServer((request, response) => {
    const happens = fate(request);
    if (happens === 'silence') return;
    if (happens === 'busy') {
      request.resume();
      response.writeHead(503).end();
      return;
    }
    const { method, url: path, headers } = request;
    const onward = http.request({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      if (happens === 'pass') return answer.pipe(response);
      answer.once('end', () => response.destroy());
      return answer.once('data', (chunk: Buffer) => {
        response.write(chunk.subarray(0, chunk.length >> 1), () => response.destroy());
      });
    });
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { endpoint: at, close };
}
