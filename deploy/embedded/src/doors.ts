/** Where a running house is, whether it is one process or many. */
import { setTimeout as pass } from 'node:timers/promises';

export interface Doors {
  /** The folder of the run: the replay's own memory is in it. */
  readonly home: string;
  /** The house's replay credential. */
  readonly replayToken: string;
  /** "host:port" of a service's gRPC door, behind "grpcs://" with TLS; of several replicas, one after another with commas. */
  address(service: string): string;
  /** The gateway's URL. */
  readonly url: string;
}

/**
 * Resolves when the gateway at `url` reaches every service; `check` is called before each look and may throw. Throws where it
 * does not within `withinMs` (wall).
 */
export async function untilReady(url: string, withinMs: number, check: () => void = () => undefined): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    check();
    const ready = await fetch(`${url}/v1/ready`).then(
      (reply) => reply.ok,
      () => false,
    );
    if (ready) return;
    await pass(100);
  }
  throw new Error(`the house at ${url} did not answer within ${withinMs / 1000} s: its services' logs say why`);
}
