/**
 * Whether a service is ready: it has started (and leads, where it is led), is not stopping, and none of its partitions is paused. A paused service is
 * live but not ready. What a person should look at though the service does its work is its attention. Tells the gRPC health service whenever that changes.
 */
import type { HealthImplementation } from 'grpc-health-check';

export class Readiness {
  readonly #paused = new Map<string, string>();
  readonly #attention = new Map<string, string>();
  readonly #followers: ((ready: boolean) => void)[] = [];
  #phase: 'starting' | 'standby' | 'running' | 'stopping' = 'starting';
  #leader: () => string = () => '';
  #told = false;
  readonly #goodbye = new AbortController();

  /** Aborted when the service begins to stop: what only waits ends then. */
  get goodbye(): AbortSignal {
    return this.#goodbye.signal;
  }

  get ready(): boolean {
    return this.#phase === 'running' && this.#paused.size === 0;
  }

  /** Why it is not ready; empty when it is. */
  get reasons(): string[] {
    const leader = this.#leader();
    const standby = `standby: ${leader ? `${leader} leads` : 'it waits for the lead'}`;
    const phase = this.#phase === 'standby' ? standby : this.#phase;
    return [
      ...(this.#phase === 'running' ? [] : [phase]),
      ...[...this.#paused].map(([where, why]) => `${where} is paused: ${why}`),
    ];
  }

  /** What a person should look at; empty where nothing is. It makes nothing unready. */
  get attention(): string[] {
    return [...this.#attention.values()];
  }

  /** Says what of `where` needs a person; '' that nothing does any more. */
  attend(where: string, why: string): void {
    if (why) this.#attention.set(where, why);
    else this.#attention.delete(where);
  }

  /** Waits for the lead, which somebody else has: live, and not ready. */
  standby(leader: () => string): void {
    this.#phase = 'standby';
    this.#leader = leader;
    this.#tell();
  }

  /** Leads from now on, and starts. */
  starting(): void {
    this.#phase = 'starting';
  }

  running(): void {
    this.#phase = 'running';
    this.#tell();
  }

  stopping(): void {
    this.#phase = 'stopping';
    this.#tell();
    this.#goodbye.abort();
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
