/** A load of unary gRPC calls with one body, so many at a time: how many a second, and how long each took. */
import { parentPort } from 'node:worker_threads';
import { Client, credentials } from '@grpc/grpc-js';

export interface LoadRequest {
  readonly port: number;
  readonly path: string;
  readonly body: Uint8Array;
  readonly seconds: number;
  readonly concurrency: number;
}

/** Milliseconds from call to answer. */
export interface LoadReport {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

parentPort!.on('message', async ({ port, path, body, seconds, concurrency }: LoadRequest) => {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const bytes = Buffer.from(body);
  const same = (buffer: Buffer) => buffer;
  const took: number[] = [];
  let failed = 0;
  const began = performance.now();
  const ask = async () => {
    while (performance.now() - began < seconds * 1000) {
      const start = performance.now();
      const ok = await new Promise<boolean>((resolve) =>
        client.makeUnaryRequest(path, same, same, bytes, (error) => resolve(!error)),
      );
      if (ok) took.push(performance.now() - start);
      else failed++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, ask));
  const perSecond = took.length / ((performance.now() - began) / 1000);
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.floor(took.length * share)] ?? Number.NaN;
  client.close();
  parentPort!.postMessage({ perSecond, p50: at(0.5), p99: at(0.99), failed } satisfies LoadReport);
});
