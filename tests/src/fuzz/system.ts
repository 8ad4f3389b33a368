/**
 * The system that is fuzzed, as a process beside this one: its doors, its memory, its log.
 *
 * I1  Every line that it writes is kept until somebody has looked at it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { bare } from '@driftloop/testing/environment';
import type { Publication } from './input.js';

export interface Door {
  readonly name: string;
  /** "host:port" of its gRPC server; '' where it has none. */
  readonly address: string;
  /** The URL of its health server. */
  readonly health: string;
}

export interface Described {
  /** The gateway's. */
  readonly url: string;
  readonly replayToken: string;
  readonly doors: readonly Door[];
  /** "GET /v1/models". */
  readonly routes: readonly string[];
}

export type Wanted = { readonly id: number } & (
  | { readonly what: 'memory' | 'settled' | 'reasons' | 'close' }
  | { readonly what: 'publish'; readonly event: Publication & { readonly id: string } }
);

export type Told =
  | { readonly kind: 'ready'; readonly described: Described }
  | { readonly kind: 'answer'; readonly id: number; readonly value?: unknown; readonly failed?: string };

export interface Memory {
  /** Bytes of the heap and of what hangs on it outside. */
  readonly live: number;
  readonly resident: number;
  /** Of all threads, since the process began. */
  readonly cpuMs: number;
}

/** The credential of the system under test, which is nobody's. */
export const token = 'the-credential-of-the-fuzzed-system';
/** Fixed, so that an input is the same in every run. */
const replayToken = 'the-replay-credential-of-the-fuzzed-system';
const environment = {
  MALLOC_ARENA_MAX: '2',
  DRIFTLOOP_LOG_LEVEL: 'info',
  DRIFTLOOP_TOKEN: token,
  DRIFTLOOP_REPLAY_TOKEN: replayToken,
  // A bystander's features are waited for as long as a busy machine may take: none is imputed in a quiet run.
  DRIFTLOOP_FEATURE_PATIENCE_MS: '60000',
};
const startMs = 180_000;
const answerMs = 30_000;

export class System {
  /** How it ended, once it has. */
  ended: string | undefined;
  private readonly waiting = new Map<number, PromiseWithResolvers<unknown>>();
  private next = 0;

  private constructor(
    private readonly child: ChildProcess,
    readonly described: Described,
  ) {
    child.on('message', (told: Told) => this.hear(told));
    child.on('exit', (code, signal) => {
      this.ended = signal ?? `exit code ${code}`;
      for (const { reject } of this.waiting.values()) reject(new Error(`the system ended: ${this.ended}`));
      this.waiting.clear();
    });
  }

  /** Starts it on a home; `onLine` gets what it writes. Throws an Error with its last lines where it does not start. */
  static async open(home: string, onLine: (line: string) => void): Promise<System> {
    const main = fileURLToPath(new URL(`./subject${extname(import.meta.url)}`, import.meta.url));
    const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--max-old-space-size=1500'];
    const env = { ...bare, ...environment };
    const child = spawn(process.execPath, [...flags, main, home], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const last: string[] = [];
    for (const stream of [child.stdout!, child.stderr!])
      createInterface({ input: stream }).on('line', (line) => {
        last.push(line.slice(0, 2000));
        if (last.length > 20) last.shift();
        onLine(line);
      });
    const described = await ready(child, last);
    return new System(child, described);
  }

  memory(): Promise<Memory> {
    return this.want('memory') as Promise<Memory>;
  }

  async publish(event: Publication & { readonly id: string }): Promise<void> {
    await this.ask({ id: this.next++, what: 'publish', event });
  }

  async settled(): Promise<void> {
    await this.want('settled');
  }

  /** Why it is not ready. */
  reasons(): Promise<string[]> {
    return this.want('reasons') as Promise<string[]>;
  }

  /** Stops it as an operator does, or kills it where it does not stop. */
  async close(): Promise<void> {
    if (this.ended) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.send({ id: this.next++, what: 'close' });
    const late = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(late);
  }

  async kill(): Promise<void> {
    if (this.ended) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await gone;
  }

  private want(what: 'memory' | 'settled' | 'reasons'): Promise<unknown> {
    return this.ask({ id: this.next++, what });
  }

  private ask(wanted: Wanted): Promise<unknown> {
    if (this.ended) return Promise.reject(new Error(`the system ended: ${this.ended}`));
    const answer = Promise.withResolvers<unknown>();
    this.waiting.set(wanted.id, answer);
    const late = setTimeout(() => {
      this.waiting.delete(wanted.id);
      answer.reject(new Error(`${wanted.what}: no answer within ${answerMs / 1000} s`));
    }, answerMs);
    this.child.send(wanted);
    return answer.promise.finally(() => clearTimeout(late));
  }

  private hear(told: Told): void {
    if (told.kind !== 'answer') return;
    const answer = this.waiting.get(told.id);
    this.waiting.delete(told.id);
    if (told.failed === undefined) answer?.resolve(told.value);
    else answer?.reject(new Error(told.failed));
  }
}

function ready(child: ChildProcess, last: readonly string[]): Promise<Described> {
  return new Promise((resolve, reject) => {
    const fail = (how: string) => {
      clearTimeout(late);
      child.kill('SIGKILL');
      reject(new Error(`the system did not start: ${how}\n${last.join('\n')}`));
    };
    const late = setTimeout(() => fail(`not within ${startMs / 1000} s`), startMs);
    const onExit = (code: number | null, signal: NodeJS.Signals | null) => fail(signal ?? `exit code ${code}`);
    child.once('exit', onExit);
    child.once('message', (told: Told) => {
      clearTimeout(late);
      child.off('exit', onExit);
      if (told.kind === 'ready') resolve(told.described);
    });
  });
}
