/** A load of unary calls from a thread of its own, and a bare grpc-js server that echoes the same bytes: a floor. */
import { Worker } from 'node:worker_threads';
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import type { LoadReport, LoadRequest } from './grpc-load.worker.js';

/** A server that answers every call with the bytes that it was sent. */
export async function openEcho(path: string): Promise<{ port: number; close: () => void }> {
  const server = new Server();
  const same = (bytes: Buffer) => bytes;
  const call = { path, requestStream: false, responseStream: false } as const;
  const codec = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  const echo: handleUnaryCall<Buffer, Buffer> = ({ request }, done) => done(null, request);
  server.addService({ echo: { ...call, ...codec } }, { echo });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { port, close: () => server.forceShutdown() };
}

export type Run = LoadReport & { readonly cpuUs: number };

export class Load {
  private readonly worker = new Worker(new URL('./grpc-load.worker.js', import.meta.url));
  constructor(
    private readonly path: string,
    private readonly body: Buffer,
  ) {}

  /** Runs a load against a server of this thread; with it what a request cost this thread, in µs of its CPU. */
  async run(port: number, seconds: number, concurrency: number): Promise<Run> {
    const before = process.threadCpuUsage();
    const report = await new Promise<LoadReport>((resolve) => {
      this.worker.once('message', resolve);
      this.worker.postMessage({ port, path: this.path, body: this.body, seconds, concurrency } satisfies LoadRequest);
    });
    const { user, system } = process.threadCpuUsage(before);
    return { ...report, cpuUs: (user + system) / (report.perSecond * seconds) };
  }

  close(): Promise<number> {
    return this.worker.terminate();
  }
}
