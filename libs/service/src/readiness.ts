/**
 * Whether a service is ready: it has started, is not stopping, and none of its partitions is paused. A paused service is
 * live but not ready. Tells the gRPC health service whenever that changes.
 */
import type { HealthImplementation } from 'grpc-health-check';

export class Readiness {
  readonly #paused = new Map<string, string>();
  readonly #followers: ((ready: boolean) => void)[] = [];
  #phase: 'starting' | 'running' | 'stopping' = 'starting';
  #told = false;

  get ready(): boolean {
    return this.#phase === 'running' && this.#paused.size === 0;
  }

  /** Why it is not ready; empty when it is. */
  get reasons(): string[] {
    const phase = this.#phase === 'running' ? [] : [this.#phase];
    return [...phase, ...[...this.#paused].map(([where, why]) => `${where} is paused: ${why}`)];
  }

  running(): void {
    this.#phase = 'running';
    this.#tell();
  }

  stopping(): void {
    this.#phase = 'stopping';
    this.#tell();
  }

  paused(where: string, why: string): void {
    this.#paused.set(where, why);
    this.#tell();
  }

  resumed(where: string): void {
    if (this.#paused.delete(where)) this.#tell();
  }

  /** Keeps a health service up to date, for the server (``) and each of the services by name. */
  follow(health: HealthImplementation, services: readonly string[]): void {
    const tell = (ready: boolean) => {
      for (const service of ['', ...services]) health.setStatus(service, ready ? 'SERVING' : 'NOT_SERVING');
    };
    tell(this.ready);
    this.#followers.push(tell);
  }

  #tell(): void {
    if (this.#told === this.ready) return;
    this.#told = this.ready;
    for (const tell of this.#followers) tell(this.ready);
  }
}
