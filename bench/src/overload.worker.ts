/** Calls at a rate, whatever becomes of them: how many were answered in time, how long those took, and how the others ended. */
import { parentPort } from 'node:worker_threads';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';

export interface RateRequest {
  readonly port: number;
  readonly path: string;
  readonly body: Uint8Array;
  readonly seconds: number;
  /** Calls a second, from this many clients. */
  readonly rate: number;
  readonly clients: number;
}

export interface RateReport {
  readonly answeredPerSecond: number;
  readonly refused: number;
  /** Neither answered nor refused with a hint. */
  readonly lost: number;
  readonly p50: number;
  readonly p99: number;
}

const everyMs = 5;
const deadlineMs = 2000;
/** Not counted: until the door has seen that this is no burst. */
const warmMs = 2000;

parentPort!.on('message', async ({ port, path, body, seconds, rate, clients }: RateRequest) => {
  const own = { 'grpc.use_local_subchannel_pool': 1 };
  const open = Array.from(
    { length: clients },
    () => new Client(`127.0.0.1:${port}`, credentials.createInsecure(), own),
  );
  const bytes = Buffer.from(body);
  const same = (buffer: Buffer) => buffer;
  const took: number[] = [];
  let [sent, refused, lost] = [0, 0, 0];
  const running: Promise<void>[] = [];
  const ask = () => {
    const start = performance.now();
    const options = { deadline: Date.now() + deadlineMs };
    const client = open[sent++ % clients];
    return new Promise<void>((resolve) =>
      client.makeUnaryRequest(path, same, same, bytes, new Metadata(), options, (error) => {
        if (start - began < warmMs) return resolve();
        if (!error) took.push(performance.now() - start);
        else if (error.code === status.RESOURCE_EXHAUSTED) refused++;
        else lost++;
        resolve();
      }),
    );
  };
  const began = performance.now();
  const passed = () => performance.now() - began;
  while (passed() < seconds * 1000 + warmMs) {
    while (sent < (passed() / 1000) * rate) running.push(ask());
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  await Promise.all(running);
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.floor(took.length * share)] ?? Number.NaN;
  for (const client of open) client.close();
  const answeredPerSecond = took.length / seconds;
  parentPort!.postMessage({ answeredPerSecond, refused, lost, p50: at(0.5), p99: at(0.99) } satisfies RateReport);
});
